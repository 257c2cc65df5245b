import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { isPending } from "../kernel/awaitable.ts";
import type { Exchange } from "../kernel/exchange.ts";
import type { Answer } from "../kernel/guard.ts";
import type { User } from "../kernel/principal.ts";
import type { Rule } from "../kernel/rule.ts";
import type { Gate, PrincipalOf, RouteGuard } from "../pipeline/gate.ts";
import type { Outcome } from "../pipeline/pipeline.ts";
import { NodeView } from "./node-view.ts";
import { carryStaged } from "./staged-headers.ts";

/** What a handler behind the guards is given beside node's own request and response. */
export interface GuardedContext<R extends Rule = Rule> {
  readonly exchange: Exchange;
  readonly principal: PrincipalOf<R>;
  /** Never `null` behind a guard that asks for a user. */
  readonly user: R extends { readonly access: "user" } ? User : User | null;
}

export type GuardedHandler<R extends Rule> = (
  request: IncomingMessage,
  response: ServerResponse,
  context: GuardedContext<R>,
) => void | Promise<void>;

/**
 * A node:http listener behind the guards: `createServer(guarded(kyros, kyros.requireUser(), handler))`. The response
 * carries the staged headers however the handler writes it; what the handler throws becomes an RFC 9457 answer.
 */
export function guarded<R extends Rule>(
  gate: Gate,
  guard: RouteGuard<R>,
  handler: GuardedHandler<R>,
): RequestListener {
  const { pipeline } = gate;
  const rule = guard.config.kyros;

  return (request, response) => {
    const exchange = pipeline.open(new NodeView(request), rule);
    carryStaged(response, exchange);

    const fail = (error: unknown): void => {
      if (response.headersSent) response.destroy(error as Error);
      else write(response, pipeline.fail(exchange, error));
    };
    const settle = (outcome: Outcome): void => {
      const answer = outcome.kind === "respond" ? outcome.answer : refusedForm(gate, exchange);
      if (answer !== undefined) {
        write(response, answer);
        return;
      }
      try {
        const done = handler(request, response, contextOf<R>(exchange));
        if (isPending(done)) done.catch(fail);
      } catch (error) {
        fail(error);
      }
    };

    const outcome = pipeline.run(exchange);
    if (isPending(outcome)) outcome.then(settle);
    else settle(outcome);
  };
}

function contextOf<R extends Rule>(exchange: Exchange): GuardedContext<R> {
  const { principal } = exchange;
  const user = principal.kind === "anonymous" ? null : principal.user;
  // The `require` guard has seen to what the type says of the rule.
  return { exchange, principal, user } as GuardedContext<R>;
}

/** A form's token can only be read by whoever parses the form, which node:http does not: such a post is refused. */
function refusedForm(gate: Gate, exchange: Exchange): Answer | undefined {
  if (!exchange.csrfPending) return undefined;
  const decision = gate.checkForm(exchange, undefined);
  return decision.kind === "deny"
    ? gate.pipeline.refuse(exchange, decision.problem, decision.cause)
    : undefined;
}

function write(response: ServerResponse, answer: Answer): void {
  // Whoever made the server has answered by then, by a time limit of its own: to write again would throw.
  if (response.headersSent) return;
  const headers = [...answer.headers];
  if (answer.body !== "") headers.push("content-length", String(Buffer.byteLength(answer.body)));
  response.writeHead(answer.status, headers);
  response.end(answer.body);
}
