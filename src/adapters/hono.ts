import type { ServerResponse } from "node:http";
import type { Context, Env, Hono, MiddlewareHandler } from "hono";
import type { GetConnInfo } from "hono/conninfo";
import { HTTPException } from "hono/http-exception";
import { matchedRoutes } from "hono/route";
import type { RouterRoute } from "hono/types";
import { findTargetHandler } from "hono/utils/handler";
import type { Exchange } from "../kernel/exchange.ts";
import type { Answer } from "../kernel/guard.ts";
import { PASS } from "../kernel/guard.ts";
import type { Principal, User } from "../kernel/principal.ts";
import { problem } from "../kernel/problem.ts";
import type { Rule } from "../kernel/rule.ts";
import { DEFAULT_RULE, PUBLIC_RULE } from "../kernel/rule.ts";
import type { Gate, PrincipalOf, RouteGuard } from "../pipeline/gate.ts";
import { FetchView } from "./fetch-view.ts";
import { formField } from "./form-field.ts";
import { both, includesRule, markedRule, markGuard, ruleOfMet } from "./met-guards.ts";
import { carryStaged, isAdded } from "./staged-headers.ts";
import { asStatusRefusal } from "./status-refusal.ts";

declare module "hono" {
  interface ContextVariableMap {
    exchange: Exchange;
    principal: Principal;
    /** Typed as never `null` behind `guard(kyros.requireUser())`. */
    currentUser: User | null;
  }
}

/** What a handler finds behind a guard. */
export interface GuardedEnv<R extends Rule> extends Env {
  readonly Variables: {
    readonly principal: PrincipalOf<R>;
    readonly currentUser: R extends { readonly access: "user" } ? User : User | null;
  };
}

export interface KyrosHonoOptions {
  readonly kyros: Gate;
  /** Tells the address at the other end of the connection: `getConnInfo` of the host's own adapter. */
  readonly connInfo: GetConnInfo;
}

/** Of a request, what guards further on have to know. */
interface Judged {
  readonly kyros: Gate;
  /** The rule of the guard that is met last; it finishes the CSRF check of a form. */
  readonly last: Rule;
}

const judgedOf = new WeakMap<Context, Judged>();
const NOT_FOUND = problem("not_found", "There is nothing here.");
/** A form that says it is longer, or not how long it is, is not read for its token (bytes). */
const LONGEST_FORM = 64 * 1024;

/**
 * The guards before everything in a Hono app: `kyrosHono(app, { kyros, connInfo: getConnInfo })`, before anything
 * else. Each request is judged before any other middleware runs, by the guards that it is going to meet. Without any,
 * a signed-in user is asked for. Refusals, unknown routes and errors answer as RFC 9457 problems, and whatever
 * response comes out carries the staged headers. Throws `TypeError` for an app that already has routes or middleware.
 */
export function kyrosHono<E extends Env>(app: Hono<E>, { kyros, connInfo }: KyrosHonoOptions): void {
  const { pipeline } = kyros;
  if (app.routes.length > 0) {
    throw new TypeError("call kyrosHono(app, …) before anything else is added to the app");
  }

  const first: MiddlewareHandler<E> = async (c, next) => {
    const met: Rule[] = [];
    const taker = findTaker(matchedRoutes(c), first, met);
    const view = new FetchView(c.req.raw, connInfo(c).remote.address ?? "");
    const rule = taker === "nothing" ? PUBLIC_RULE : ruleOfMet(met);
    note(c, pipeline.open(view, rule, taker === "nothing" ? undefined : taker));
    const last = met.at(-1) ?? DEFAULT_RULE;
    judgedOf.set(c, { kyros, last });
    const refusal =
      (await judge(c, kyros)) ?? (last === DEFAULT_RULE ? finishForm(c, kyros, undefined) : undefined);
    if (refusal !== undefined) {
      c.res = refusal;
    } else {
      try {
        await next();
      } catch (error) {
        // Hono hands on by itself what is no `Error`.
        c.res = toResponse(pipeline.fail(c.var.exchange, error));
      }
    }
    carry(c, c.var.exchange);
  };
  app.use("*", first);

  /** An answer to who was not judged, and so was not let in. */
  function answerUnjudged(c: Context, answer: (exchange: Exchange) => Answer): Response {
    note(c, pipeline.open(new FetchView(c.req.raw, ""), PUBLIC_RULE));
    c.res = toResponse(answer(c.var.exchange));
    carry(c, c.var.exchange);
    return c.res;
  }

  app.notFound((c) => {
    if (judgedOf.has(c)) return toResponse(pipeline.refuse(c.var.exchange, NOT_FOUND));
    // Outside the base path of the app.
    return answerUnjudged(c, (exchange) => pipeline.refuse(exchange, NOT_FOUND));
  });
  app.onError((error, c) => {
    // A response that the host made for this very case.
    if (error instanceof HTTPException && error.res !== undefined) return error.getResponse();
    if (judgedOf.has(c)) return toResponse(pipeline.fail(c.var.exchange, asStatusRefusal(error)));
    // `connInfo` of another host than this one.
    return answerUnjudged(c, (exchange) => pipeline.fail(exchange, error));
  });
}

/** Guards a route, or everything below a path: `app.get("/jobs", guard(kyros.requireUser()), (c) => …)`. */
export function guard<R extends Rule>(routeGuard: RouteGuard<R>): MiddlewareHandler<GuardedEnv<R>> {
  const rule = routeGuard.config.kyros;
  const check = async (c: Context, next: () => Promise<void>): Promise<Response | undefined> => {
    const judged = judgedOf.get(c);
    if (judged === undefined) throw new Error("kyrosHono(app, …) was not called");
    const { kyros, last } = judged;
    let refusal: Response | undefined;
    let isLast = last === rule;
    if (!includesRule(c.var.exchange.rule, rule)) {
      // Met after a handler that passed on, where nobody looked.
      const { view, rule: before, route } = c.var.exchange;
      note(c, kyros.pipeline.open(view, both(before, rule), route));
      refusal = await judge(c, kyros);
      isLast = true;
    }
    if (isLast && refusal === undefined && c.var.exchange.csrfPending) {
      refusal = finishForm(c, kyros, await readForm(c));
    }
    if (refusal !== undefined) return refusal;
    await next();
    return undefined;
  };
  return markGuard(check, routeGuard) as MiddlewareHandler<GuardedEnv<R>>;
}

/**
 * Which route would take a request, by Hono's own matching; `nothing` where there is none. Notes the rules of the guards
 * on the way, outermost first.
 */
function findTaker(routes: readonly RouterRoute[], first: object, met: Rule[]): string {
  let taker = "nothing";
  let isUnguarded = false;
  // In an app that is part of another one, what the other one does comes before.
  const ours = routes.findIndex(({ handler }) => findTargetHandler(handler) === first);
  for (let i = ours + 1; i < routes.length; i++) {
    const { path, method, handler } = routes[i]!;
    const target = findTargetHandler(handler);
    const rule = markedRule(target);
    if (rule !== undefined) met.push(rule);
    const isMiddleware = rule !== undefined || target.length > 1;
    if (method !== "ALL" || !isMiddleware) {
      for (const other of routes.slice(i + 1)) {
        const within = other.path === path && other.method === method;
        const further = within ? markedRule(findTargetHandler(other.handler)) : undefined;
        if (further !== undefined) met.push(further);
      }
      return path;
    }
    if (rule !== undefined) continue;
    taker = path;
    // What stands under a path of its own may well answer: without a guard before it, as a route without one.
    isUnguarded ||= met.length === 0 && path !== "*" && path !== "/*";
  }
  if (isUnguarded) met.unshift(DEFAULT_RULE);
  return taker;
}

function note(c: Context, exchange: Exchange): void {
  c.set("exchange", exchange);
  const response = nodeResponse(c);
  if (response !== undefined) carryStaged(response, exchange);
}

/** What node:http answers by, where that is the host: the staged headers join there at half the cost of the request. */
function nodeResponse(c: Context): ServerResponse | undefined {
  const outgoing: object | undefined = (c.env as { readonly outgoing?: object } | undefined)?.outgoing;
  // That of HTTP/2 has another way of writing its head.
  return outgoing !== undefined && "assignSocket" in outgoing ? (outgoing as ServerResponse) : undefined;
}

/** Runs the guards; the response that they give in place of the handler's, if any. */
async function judge(c: Context, { pipeline }: Gate): Promise<Response | undefined> {
  const { exchange } = c.var;
  const outcome = await pipeline.run(exchange);
  const { principal } = exchange;
  c.set("principal", principal);
  c.set("currentUser", principal.kind === "anonymous" ? null : principal.user);
  return outcome.kind === "respond" ? toResponse(outcome.answer) : undefined;
}

function finishForm(c: Context, kyros: Gate, body: unknown): Response | undefined {
  const { exchange } = c.var;
  const decision = exchange.csrfPending ? kyros.checkForm(exchange, formField(body, "_csrf")) : PASS;
  return decision.kind === "deny"
    ? toResponse(kyros.pipeline.refuse(exchange, decision.problem, decision.cause))
    : undefined;
}

/** The fields of a form; Hono keeps them for the handler. */
async function readForm(c: Context): Promise<unknown> {
  const length = Number(c.req.header("content-length") ?? Number.NaN);
  return length <= LONGEST_FORM ? c.req.parseBody() : undefined;
}

function toResponse({ status, headers, body }: Answer): Response {
  const list = new Headers();
  for (let i = 0; i < headers.length; i += 2) list.append(headers[i]!, headers[i + 1]!);
  return new Response(body === "" ? null : body, { status, headers: list });
}

/** Adds what is staged to whatever response there is, unless node:http does; what the handler set itself wins. */
function carry(c: Context, exchange: Exchange): void {
  if (nodeResponse(c) !== undefined) return;
  const { res } = c;
  exchange.observer?.answered(exchange, res.status);
  try {
    addStaged(res.headers, exchange);
  } catch (error) {
    // Immutable: a redirect made by the platform, or an answer of `fetch`. One to an upgrade cannot be made again.
    if (!(error instanceof TypeError) || res.status === 101) return;
    const headers = new Headers(res.headers);
    addStaged(headers, exchange);
    // Hono would merge the headers of the one before.
    c.res = undefined;
    c.res = new Response(res.body, { status: res.status, statusText: res.statusText, headers });
  }
}

function addStaged(headers: Headers, { staged }: Exchange): void {
  for (let i = 0; i < staged.length; i += 2) {
    const name = staged[i]!;
    if (isAdded(name)) headers.append(name, staged[i + 1]!);
    else if (!headers.has(name)) headers.set(name, staged[i + 1]!);
  }
}
