import type {
  ContextConfigDefault,
  FastifyBaseLogger,
  FastifyInstance,
  FastifyPluginCallback,
  FastifyReply,
  FastifyRequest,
  FastifyTypeProvider,
  FastifyTypeProviderDefault,
  RawRequestDefaultExpression,
  RawServerBase,
  RawServerDefault,
  RouteGenericInterface,
} from "fastify";
import type { FastifyRequestType, ResolveFastifyRequestType } from "fastify/types/type-provider.js";
import fp from "fastify-plugin";
import { isPending } from "../kernel/awaitable.ts";
import type { Exchange } from "../kernel/exchange.ts";
import { Refusal } from "../kernel/failure.ts";
import type { Answer } from "../kernel/guard.ts";
import type { User } from "../kernel/principal.ts";
import { problem } from "../kernel/problem.ts";
import type { Rule } from "../kernel/rule.ts";
import { DEFAULT_RULE, PUBLIC_RULE } from "../kernel/rule.ts";
import type { Gate, PrincipalOf, RouteGuard } from "../pipeline/gate.ts";
import type { Outcome } from "../pipeline/pipeline.ts";
import { asRefusal } from "./fastify-problem.ts";
import { formField } from "./form-field.ts";
import { NodeView } from "./node-view.ts";
import { carryStaged } from "./staged-headers.ts";

type RuleOf<ContextConfig> = ContextConfig extends { readonly kyros: infer R extends Rule } ? R : Rule;

declare module "fastify" {
  interface FastifyContextConfig {
    /** What the guards ask of this route; without it, a signed-in user. */
    kyros?: Rule;
    /** Opens the exchange of a route whose requests ask about other ones; the rule is then that exchange's. */
    openExchange?: (request: FastifyRequest) => Exchange;
  }
  interface FastifyRequest<
    RouteGeneric extends RouteGenericInterface = RouteGenericInterface,
    RawServer extends RawServerBase = RawServerDefault,
    RawRequest extends RawRequestDefaultExpression<RawServer> = RawRequestDefaultExpression<RawServer>,
    SchemaCompiler extends FastifySchema = FastifySchema,
    TypeProvider extends FastifyTypeProvider = FastifyTypeProviderDefault,
    ContextConfig = ContextConfigDefault,
    Logger extends FastifyBaseLogger = FastifyBaseLogger,
    RequestType extends FastifyRequestType = ResolveFastifyRequestType<
      TypeProvider,
      SchemaCompiler,
      RouteGeneric
    >,
  > {
    readonly exchange: Exchange;
    readonly principal: PrincipalOf<RuleOf<ContextConfig>>;
    /** Never `null` on a route with `kyros.requireUser()` or a stricter guard. */
    readonly currentUser: RuleOf<ContextConfig> extends { readonly access: "user" } ? User : User | null;
  }
}

export interface KyrosFastifyOptions {
  readonly kyros: Gate;
}

const NOBODY = problem("unauthenticated", "Sign in, or send a valid credential.");
const NOT_FOUND = problem("not_found", "There is nothing here.");

/**
 * The guards before every route of a Fastify app: `app.register(kyrosFastify, { kyros })`, before the routes. A route
 * that says nothing asks for a signed-in user; `kyros.allowAnonymous()` opens one. Refusals, unknown routes and errors
 * answer as RFC 9457 problems.
 */
export const kyrosFastify: FastifyPluginCallback<KyrosFastifyOptions> = fp(register, {
  fastify: "5.x",
  name: "kyros",
});

/** Asks the same of every route of a scope that says nothing itself: `scope.register(guardAll(kyros.requireRole("admin")))`. */
export function guardAll(guard: RouteGuard): FastifyPluginCallback {
  return fp((app, _options, done) => {
    app.addHook("onRoute", (route) => {
      route.config = { ...guard.config, ...route.config };
    });
    done();
  });
}

function register(app: FastifyInstance, { kyros }: KyrosFastifyOptions, done: () => void): void {
  const { pipeline } = kyros;

  app.decorateRequest("exchange");
  app.decorateRequest("principal", { getter: principalOf });
  app.decorateRequest("currentUser", { getter: userOf });

  app.addHook("onRequest", (request, reply, next) => {
    const config = request.is404 ? undefined : request.routeOptions.config;
    const rule = config === undefined ? PUBLIC_RULE : (config.kyros ?? DEFAULT_RULE);
    const exchange =
      config?.openExchange?.(request) ?? pipeline.open(new NodeView(request.raw), rule, config?.url);
    (request as { exchange: Exchange }).exchange = exchange;
    carryStaged(reply.raw, exchange);
    const outcome = pipeline.run(exchange);
    if (isPending(outcome)) outcome.then((late) => settle(late, reply, next));
    else settle(outcome, reply, next);
  });

  // After body parsing, before the handler: the token of a form post is one of its fields.
  app.addHook("preHandler", (request, reply, next) => {
    const { exchange } = request;
    if (!exchange.csrfPending) return next();
    const decision = kyros.checkForm(exchange, formField(request.body, "_csrf"));
    if (decision.kind === "deny") send(reply, pipeline.refuse(exchange, decision.problem, decision.cause));
    else next();
  });

  app.setNotFoundHandler((request, reply) => {
    send(reply, pipeline.refuse(request.exchange, NOT_FOUND));
  });
  app.setErrorHandler((error, request, reply) => {
    send(reply, answerToError(kyros, request, reply, error));
  });
  done();
}

function settle(outcome: Outcome, reply: FastifyReply, next: () => void): void {
  if (outcome.kind === "proceed") next();
  else send(reply, outcome.answer);
}

/** The answer to anything thrown while a request was served: the framework's faults, refusals, outages, crashes. */
export function answerToError(
  kyros: Gate,
  request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
): Answer {
  const exchange = request.exchange ?? openLate(kyros, request, reply);
  return kyros.pipeline.fail(exchange, asRefusal(error));
}

/** An exchange for a request that the framework refused before any hook: its answer carries the headers all the same. */
function openLate({ pipeline }: Gate, request: FastifyRequest, reply: FastifyReply): Exchange {
  const exchange = pipeline.open(new NodeView(request.raw), PUBLIC_RULE);
  carryStaged(reply.raw, exchange);
  return exchange;
}

/** Sends a whole answer in place of the route's own. */
export function send(reply: FastifyReply, answer: Answer): void {
  reply.code(answer.status);
  for (let i = 0; i < answer.headers.length; i += 2) reply.header(answer.headers[i]!, answer.headers[i + 1]!);
  reply.send(answer.body);
}

/**
 * The user who is signed in, for a handler whose type arguments keep the compiler from seeing the route's guard
 * (`app.post<{ Body: Job }>`). Throws a `Refusal` (401) where nobody is.
 */
export function signedInUser(request: { readonly exchange: Exchange }): User {
  const { principal } = request.exchange;
  if (principal.kind === "anonymous") throw new Refusal(NOBODY);
  return principal.user;
}

function principalOf(this: FastifyRequest): Exchange["principal"] {
  return this.exchange.principal;
}

function userOf(this: FastifyRequest): User | null {
  const { principal } = this.exchange;
  return principal.kind === "anonymous" ? null : principal.user;
}
