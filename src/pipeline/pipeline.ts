import type { AuditEvent } from "../kernel/audit-event.ts";
import type { Awaitable } from "../kernel/awaitable.ts";
import { isPending } from "../kernel/awaitable.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Client, RequestView } from "../kernel/exchange.ts";
import { Exchange } from "../kernel/exchange.ts";
import type { Answer, Decision, Guard } from "../kernel/guard.ts";
import { PASS } from "../kernel/guard.ts";
import type { Observer } from "../kernel/observer.ts";
import type { Problem } from "../kernel/problem.ts";
import type { Rule } from "../kernel/rule.ts";
import { denialEvent } from "./denial-event.ts";
import { problemOf, toAnswer } from "./to-answer.ts";

export interface PipelineParts {
  /** In order; see `ORDER`. */
  readonly guards: readonly Guard[];
  readonly resolveClient: (view: RequestView) => Client;
  /** Constant headers that every response carries, flat, by the scheme the client used. */
  readonly baseHeaders: { readonly http: readonly string[]; readonly https: readonly string[] };
  readonly nextRequestId: (nowMs: number) => string;
  readonly clock: Clock;
  readonly record: (event: AuditEvent) => void;
  /** Told of every failure that is nobody's refusal; must not throw. */
  readonly onFailure: (error: unknown, exchange: Exchange) => void;
  /** Told of every request; nobody, at no cost, where it is absent. */
  readonly observer?: Observer | undefined;
}

/** What a request's walk ends in: go on to the handler, or send this. */
export type Outcome = { readonly kind: "proceed" } | { readonly kind: "respond"; readonly answer: Answer };

export const PROCEED: Outcome = Object.freeze({ kind: "proceed" });

export interface Pipeline {
  /** Opens an exchange for a request under the rule of its matched route; `route` is that route's pattern. */
  open(view: RequestView, rule: Rule, route?: string): Exchange;
  /** Runs the guards in order. Never rejects and never throws: failures become answers. */
  run(exchange: Exchange): Awaitable<Outcome>;
  /** The answer to a guard's refusal, recorded as the event it is. */
  refuse(exchange: Exchange, refusal: Problem, cause?: string): Answer;
  /** The answer to anything thrown; whoever throws a refusal has told the fact behind it. */
  fail(exchange: Exchange, error: unknown): Answer;
  /** The whole answer to bytes that are no request: without an exchange, its headers are all its own. */
  refuseUnread(refusal: Problem): Answer;
}

/** An id that a trusted proxy gave a request: kept if it cannot upset a log line or a header. */
const FOREIGN_REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

export function createPipeline(parts: PipelineParts): Pipeline {
  const { guards, resolveClient, baseHeaders, nextRequestId, clock, record, onFailure, observer } = parts;
  observer?.attached(guards.map((guard) => guard.name));

  function requestIdOf(view: RequestView, client: Client, nowMs: number): string {
    if (client.viaTrustedProxy) {
      const given = view.header("x-request-id");
      if (given !== undefined && FOREIGN_REQUEST_ID.test(given)) return given;
    }
    return nextRequestId(nowMs);
  }

  function walk(exchange: Exchange, from: number): Awaitable<Outcome> {
    let at = from;
    try {
      for (; at < guards.length; at++) {
        const decision = guards[at]!.check(exchange);
        if (decision === PASS) continue;
        if (isPending(decision)) return resume(exchange, at, decision);
        if (decision.kind !== "pass") return settle(exchange, at, decision);
      }
    } catch (error) {
      return fail(exchange, at, error);
    }
    observer?.decided(exchange, at, PASS);
    return PROCEED;
  }

  function resume(exchange: Exchange, at: number, pending: Promise<Decision>): Promise<Outcome> {
    return pending.then(
      (late) => (late.kind === "pass" ? walk(exchange, at + 1) : settle(exchange, at, late)),
      (error) => fail(exchange, at, error),
    );
  }

  function settle(exchange: Exchange, at: number, decision: Exclude<Decision, { kind: "pass" }>): Outcome {
    observer?.decided(exchange, at, decision);
    if (decision.kind === "answer") return { kind: "respond", answer: decision.answer };
    return { kind: "respond", answer: pipeline.refuse(exchange, decision.problem, decision.cause) };
  }

  function fail(exchange: Exchange, at: number, error: unknown): Outcome {
    observer?.failed(exchange, at, error);
    return { kind: "respond", answer: pipeline.fail(exchange, error) };
  }

  const pipeline: Pipeline = {
    open(view, rule, route) {
      const nowMs = clock.now();
      const client = resolveClient(view);
      const requestId = requestIdOf(view, client, nowMs);
      const exchange = new Exchange(view, rule, requestId, client, nowMs, baseHeaders[client.scheme]);
      exchange.stage("x-request-id", requestId);
      exchange.route = route;
      if (observer !== undefined) {
        exchange.observer = observer;
        observer.opened(exchange);
      }
      return exchange;
    },
    run: (exchange) => walk(exchange, 0),
    refuse(exchange, refusal, cause) {
      const event = denialEvent(exchange, refusal, cause);
      if (event !== undefined) record(event);
      return toAnswer(refusal, exchange.requestId);
    },
    fail(exchange, error) {
      const refusal = problemOf(error);
      if (refusal.code === "internal" || refusal.code === "unavailable") onFailure(error, exchange);
      return toAnswer(refusal, exchange.requestId);
    },
    refuseUnread(refusal) {
      const requestId = nextRequestId(clock.now());
      const answer = toAnswer(refusal, requestId);
      return { ...answer, headers: [...answer.headers, ...baseHeaders.http, "x-request-id", requestId] };
    },
  };
  return pipeline;
}
