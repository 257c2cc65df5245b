import type { Act, Actor, AuditEvent, EventName } from "../kernel/audit-event.ts";
import type { Exchange } from "../kernel/exchange.ts";
import type { Principal } from "../kernel/principal.ts";
import type { Problem, ProblemCode } from "../kernel/problem.ts";
import { traceOf } from "./trace-of.ts";

/** Which fact a guard's refusal is. What is missing here is a refusal but no security event. */
const EVENT_OF: Partial<Readonly<Record<ProblemCode, EventName>>> = {
  https_required: "https.rejected",
  rate_limited: "rate_limit.exceeded",
  csrf_invalid: "csrf.rejected",
  unauthenticated: "access.denied",
  token_invalid: "auth.token.rejected",
  token_expired: "auth.token.rejected",
  token_revoked: "auth.token.rejected",
  step_up_required: "access.denied",
  insufficient_role: "access.denied",
  insufficient_scope: "access.denied",
};

/** The event of a guard's refusal, or `undefined` where it is none. */
export function denialEvent(exchange: Exchange, refusal: Problem, cause?: string): AuditEvent | undefined {
  const isKey = exchange.outcome.kind === "rejected" && exchange.outcome.reason.credential === "api_key";
  const name = isKey && refusal.status === 401 ? "api_key.rejected" : EVENT_OF[refusal.code];
  if (name === undefined) return undefined;
  return {
    ...actOf(exchange),
    name,
    outcome: "failure",
    reason: cause === undefined ? refusal.code : `${refusal.code}: ${cause}`,
  };
}

/** Whatever this request does, as its events tell it. */
export function actOf(exchange: Exchange): Act {
  const userAgent = exchange.view.header("user-agent");
  const trace = traceOf(exchange);
  return {
    atMs: exchange.nowMs,
    actor: actorOf(exchange.principal),
    requestId: exchange.requestId,
    ...(trace !== undefined && { traceId: trace.traceId, spanId: trace.spanId }),
    address: exchange.client.address,
    method: exchange.view.method,
    path: exchange.view.path,
    ...(userAgent !== undefined && { userAgent }),
  };
}

function actorOf(principal: Principal): Actor {
  switch (principal.kind) {
    case "anonymous":
      return { kind: "anonymous" };
    case "user":
      return { kind: "user", id: principal.user.id, name: principal.user.username };
    case "service":
      return { kind: "api_key", id: principal.keyId, name: principal.keyName };
  }
}
