import type { FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";
import type { UserPrincipal } from "../../kernel/principal.ts";
import { actOf } from "../../pipeline/denial-event.ts";
import { routeGuards } from "../../pipeline/route-guards.ts";
import { FORM_TYPE, JSON_TYPE } from "../body-types.ts";
import {
  BrowserSession,
  Credentials,
  CredentialsForm,
  FactorRequiredProblem,
  TokenPair,
} from "../schemas.ts";
import type { App, Service } from "../service.ts";
import { signIn, startBrowser, startTokens } from "../sign-in.ts";

/** Sign-in carries its own credential in the body: nothing rides on a cookie, so the origin check is the CSRF defence. */
const open = routeGuards.allowAnonymous({ csrf: "origin" });

export function signInRoutes(app: App, service: Service): void {
  app.post(
    "/auth/login",
    {
      config: { ...open.config, bodyTypes: [JSON_TYPE, FORM_TYPE] },
      schema: {
        summary: "Sign in a program: tokens for a name and password",
        body: { content: { [JSON_TYPE]: { schema: Credentials }, [FORM_TYPE]: { schema: CredentialsForm } } },
        response: { 200: TokenPair, 401: FactorRequiredProblem },
      },
    },
    async (request, reply) => {
      const { exchange } = request;
      const credentials = request.body as { username: string; password: string };
      const signedIn = await signIn(service, exchange, credentials, "token");
      return startTokens(service, signedIn, exchange, reply);
    },
  );

  app.post(
    "/auth/session",
    {
      ...open,
      schema: {
        summary: "Sign in a browser: a session cookie for a name and password",
        body: Credentials,
        response: { 200: BrowserSession, 401: FactorRequiredProblem },
      },
    },
    async (request, reply) => {
      const { exchange } = request;
      const signedIn = await signIn(service, exchange, request.body, "browser");
      return startBrowser(service, signedIn, exchange, reply);
    },
  );

  app.delete(
    "/auth/session",
    {
      ...routeGuards.requirePerson(),
      schema: { summary: "Sign out a browser", response: { 204: Type.Null() } },
    },
    (request, reply) => signOut(service, request, request.principal, reply),
  );

  app.post(
    "/auth/logout",
    {
      ...routeGuards.requirePerson(),
      schema: {
        summary: "Sign out: ends the whole session with every token of it",
        response: { 204: Type.Null() },
      },
    },
    (request, reply) => signOut(service, request, request.principal, reply),
  );
}

async function signOut(
  service: Service,
  { exchange }: Pick<FastifyRequest, "exchange">,
  principal: UserPrincipal,
  reply: FastifyReply,
): Promise<void> {
  const act = actOf(exchange);
  await service.sessions.end(principal.sessionId, principal.user.id, act);
  await service.events.record({
    ...act,
    name: "auth.logout",
    outcome: "success",
    subject: principal.user.id,
  });
  if (principal.credential === "session") {
    reply.header("set-cookie", service.cookies.clear(exchange));
    // ASVS V14.3.1: what pages of this session left in the browser goes with it.
    reply.header("clear-site-data", '"cache", "storage"');
  }
  reply.code(204);
}
