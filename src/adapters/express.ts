import type { ServerResponse } from "node:http";
import type { Express as App, NextFunction, Request, RequestHandler, Response } from "express";
import type { ParamsDictionary } from "express-serve-static-core";
import { isPending } from "../kernel/awaitable.ts";
import type { Exchange } from "../kernel/exchange.ts";
import type { Answer } from "../kernel/guard.ts";
import { PASS } from "../kernel/guard.ts";
import type { Principal, User } from "../kernel/principal.ts";
import { problem } from "../kernel/problem.ts";
import type { Rule } from "../kernel/rule.ts";
import { DEFAULT_RULE, PUBLIC_RULE } from "../kernel/rule.ts";
import type { Gate, PrincipalOf, RouteGuard } from "../pipeline/gate.ts";
import type { Outcome } from "../pipeline/pipeline.ts";
import type { Stack, Taker } from "./express-routes.ts";
import { findTaker } from "./express-routes.ts";
import { formField } from "./form-field.ts";
import { both, includesRule, markGuard, ruleOfMet } from "./met-guards.ts";
import { NodeView } from "./node-view.ts";
import { carryStaged } from "./staged-headers.ts";
import { asStatusRefusal } from "./status-refusal.ts";

declare global {
  namespace Express {
    interface Request {
      readonly exchange: Exchange;
      readonly principal: Principal;
      /** Typed as never `null` in a handler of `guarded(kyros.requireUser(), …)`. */
      readonly currentUser: User | null;
    }
  }
}

/** A request as a handler finds it behind a guard. */
export type GuardedRequest<R extends Rule, P = ParamsDictionary> = Request<P> & {
  readonly principal: PrincipalOf<R>;
  readonly currentUser: R extends { readonly access: "user" } ? User : User | null;
};

export type GuardedHandler<R extends Rule, P = ParamsDictionary> = (
  request: GuardedRequest<R, P>,
  response: Response,
  next: NextFunction,
) => unknown;

export interface KyrosExpressOptions {
  readonly kyros: Gate;
}

/** On the prototype of an app's requests, so that none has to be given its own. */
interface Guarded {
  exchange?: Exchange | undefined;
  [GATE]?: Gate;
  /** The guard that is met last, and so finds a form parsed; it finishes the CSRF check. */
  [LAST]?: Rule;
}

const GATE = Symbol("kyros.gate");
const LAST = Symbol("kyros.last");
const NOT_FOUND = problem("not_found", "There is nothing here.");

/**
 * The guards before everything in an Express 5 app: `kyrosExpress(app, { kyros })`, before anything else. Each request
 * is judged before any middleware runs, by the guards that it is going to meet: those of its route and of the routers
 * around it, found by Express's own matching. Without any, a signed-in user is asked for. Refusals, unknown routes and
 * errors answer as RFC 9457 problems. Throws `TypeError` for an app that already has routes or middleware.
 */
export function kyrosExpress(app: App, { kyros }: KyrosExpressOptions): void {
  const router = app.router as unknown as Stack;
  if (router.stack.length > 0)
    throw new TypeError("call kyrosExpress(app, …) before anything else is added to the app");
  app.disable("x-powered-by");
  Object.defineProperties(app.request, {
    [GATE]: { value: kyros },
    principal: { get: principalOf, configurable: true },
    currentUser: { get: userOf, configurable: true },
  });

  app.use((request, response, next) => {
    // From the layer after this one.
    const { taker, met } = findTaker(router, request.method.toLowerCase(), request.path, 1);
    const rule = taker === "nothing" ? PUBLIC_RULE : ruleOfMet(met);
    const exchange = open(kyros, request, response, rule, routeOf(taker));
    const last = met.at(-1) ?? DEFAULT_RULE;
    (request as Guarded)[LAST] = last;
    run(kyros, exchange, response, () => {
      if (taker === "nothing") write(response, kyros.pipeline.refuse(exchange, NOT_FOUND));
      else if (last === DEFAULT_RULE) finishForm(kyros, exchange, undefined, response, next);
      else next();
    });
  });

  // What Express would do itself where nothing has answered: pages of its own, with stacks in development.
  const { handle } = app as unknown as { handle(...parameters: unknown[]): void };
  Object.assign(app, {
    handle(request: Request, response: Response, callback?: (error?: unknown) => void) {
      handle.call(app, request, response, callback ?? ((error) => finish(kyros, request, response, error)));
    },
  });
}

/** A route behind a guard: `app.get("/jobs", guarded(kyros.requireUser(), (request, response) => …))`. */
export function guarded<R extends Rule, P = ParamsDictionary>(
  guard: RouteGuard<R>,
  ...handlers: readonly GuardedHandler<R, P>[]
): RequestHandler<P>[] {
  // The `require` guard has seen to what the type says of the rule.
  return [guardAll(guard), ...handlers] as unknown as RequestHandler<P>[];
}

/** Guards everything below a path or in a router: `app.use("/admin", guardAll(kyros.requireRole("admin")))`. */
export function guardAll(guard: RouteGuard): RequestHandler {
  const rule = guard.config.kyros;
  return markGuard((request: Request, response: Response, next: NextFunction): void => {
    const { exchange, [GATE]: kyros, [LAST]: last } = request as Guarded;
    if (kyros === undefined || exchange === undefined) throw new Error("kyrosExpress(app, …) was not called");
    if (includesRule(exchange.rule, rule)) {
      if (last === rule) finishForm(kyros, exchange, request.body, response, next);
      else next();
      return;
    }
    // Met where the routes could not be looked through: in a mounted app, or after a route that passed on.
    const again = open(kyros, request, response, both(exchange.rule, rule), exchange.route);
    run(kyros, again, response, () => finishForm(kyros, again, request.body, response, next));
  }, guard);
}

function open(
  { pipeline }: Gate,
  request: Request,
  response: ServerResponse,
  rule: Rule,
  route: string | undefined,
): Exchange {
  const known = (request as Guarded).exchange;
  const exchange = pipeline.open(known?.view ?? new NodeView(request), rule, route);
  (request as Guarded).exchange = exchange;
  carryStaged(response, exchange);
  return exchange;
}

function run({ pipeline }: Gate, exchange: Exchange, response: ServerResponse, proceed: () => void): void {
  const settle = (outcome: Outcome): void => {
    if (outcome.kind === "proceed") proceed();
    else write(response, outcome.answer);
  };
  const outcome = pipeline.run(exchange);
  if (isPending(outcome)) outcome.then(settle);
  else settle(outcome);
}

/** The CSRF check of a form needs its body parsed; whoever meets the request before that has none to show. */
function finishForm(
  kyros: Gate,
  exchange: Exchange,
  body: unknown,
  response: ServerResponse,
  next: NextFunction,
): void {
  const decision = exchange.csrfPending ? kyros.checkForm(exchange, formField(body, "_csrf")) : PASS;
  if (decision.kind === "deny") {
    write(response, kyros.pipeline.refuse(exchange, decision.problem, decision.cause));
  } else {
    next();
  }
}

/** Nothing has answered, or something has failed. */
function finish(kyros: Gate, request: Request, response: ServerResponse, error: unknown): void {
  const { pipeline } = kyros;
  if (response.headersSent) {
    if (error) response.destroy(error instanceof Error ? error : undefined);
    return;
  }
  const exchange = request.exchange ?? open(kyros, request, response, PUBLIC_RULE, undefined);
  write(
    response,
    error ? pipeline.fail(exchange, asStatusRefusal(error)) : pipeline.refuse(exchange, NOT_FOUND),
  );
}

function write(response: ServerResponse, { status, headers, body }: Answer): void {
  // Whoever serves this app has answered by then, by a time limit of its own: to write again would throw.
  if (response.headersSent) return;
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  const length = body === "" ? [] : ["content-length", String(Buffer.byteLength(body))];
  response.writeHead(status, [...headers, ...length]);
  response.end(body);
}

function routeOf(taker: Taker): string | undefined {
  return typeof taker === "object" && typeof taker.path === "string" ? taker.path : undefined;
}

function principalOf(this: Request): Principal {
  return this.exchange.principal;
}

function userOf(this: Request): User | null {
  const { principal } = this.exchange;
  return principal.kind === "anonymous" ? null : principal.user;
}
