import bowser from "bowser";
import { Type } from "typebox";
import type { Session } from "../../identity/sessions/session.ts";
import { toRfc3339 } from "../../kernel/clock.ts";
import { Refusal } from "../../kernel/failure.ts";
import { problem } from "../../kernel/problem.ts";
import { actOf } from "../../pipeline/denial-event.ts";
import { routeGuards } from "../../pipeline/route-guards.ts";
import { pageOf } from "../page.ts";
import { refreshRefusal } from "../refresh-refusal.ts";
import { Id, IdParameter, Instant, listOf, PageQuery, TokenPair } from "../schemas.ts";
import type { App, Service } from "../service.ts";
import { tokenPair } from "../sign-in.ts";

const SessionShape = Type.Object({
  id: Id,
  device: Type.String(),
  address: Type.String(),
  created_at: Instant,
  last_seen_at: Instant,
  current: Type.Boolean(),
});

export function sessionRoutes(app: App, service: Service): void {
  app.post(
    "/auth/refresh",
    {
      ...routeGuards.allowAnonymous(),
      schema: {
        summary: "Trade a refresh token for a new pair",
        body: Type.Object(
          { refresh_token: Type.String({ minLength: 1, maxLength: 1024 }) },
          { additionalProperties: false },
        ),
        response: { 200: TokenPair },
      },
    },
    async (request, reply) => {
      const { exchange } = request;
      reply.header("cache-control", "no-store");
      const refreshed = await service.refreshTokens.refresh(request.body.refresh_token, actOf(exchange));
      if (refreshed.kind !== "refreshed") throw new Refusal(refreshRefusal(refreshed));
      const live = await service.live.ofSessionId(refreshed.sessionId, exchange.nowMs);
      const account = await service.stores.accounts.findById(refreshed.userId);
      if (live.kind !== "authenticated" || account === undefined)
        throw new Refusal(refreshRefusal({ kind: "ended" }));
      return tokenPair(service, account, refreshed.sessionId, refreshed.token, exchange.nowMs);
    },
  );

  app.get(
    "/auth/sessions",
    {
      ...routeGuards.requirePerson(),
      schema: {
        summary: "Where the user is signed in, newest first",
        querystring: Type.Object(PageQuery, { additionalProperties: false }),
        response: { 200: listOf(SessionShape) },
      },
    },
    async (request) => {
      const { principal, exchange } = request;
      const { items, next_cursor } = await pageOf(request.query, (page) =>
        service.stores.sessions.listLive(principal.user.id, exchange.nowMs, page),
      );
      return { items: items.map((one) => publicSession(one, principal.sessionId)), next_cursor };
    },
  );

  app.delete(
    "/auth/sessions/:id",
    {
      ...routeGuards.requirePerson(),
      schema: {
        summary: "End one of the user's sessions",
        params: IdParameter,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const ended = await service.sessions.end(
        request.params.id,
        request.principal.user.id,
        actOf(request.exchange),
      );
      if (!ended) throw new Refusal(problem("not_found", "There is no such session."));
      reply.code(204);
    },
  );

  app.delete(
    "/auth/sessions",
    {
      ...routeGuards.requirePerson(),
      schema: { summary: "End all of the user's sessions but this one", response: { 204: Type.Null() } },
    },
    async (request, reply) => {
      const { principal, exchange } = request;
      await service.sessions.endAll(principal.user.id, actOf(exchange), principal.sessionId);
      reply.code(204);
    },
  );
}

function publicSession(session: Session, currentId: string) {
  return {
    id: session.id,
    device: deviceOf(session.userAgent),
    address: session.address,
    created_at: toRfc3339(session.createdAtMs),
    last_seen_at: toRfc3339(session.lastSeenAtMs),
    current: session.id === currentId,
  };
}

/** A user agent in the words people use for their devices: "Firefox on Linux". */
function deviceOf(userAgent: string | null): string {
  if (userAgent === null || userAgent === "") return "unknown";
  const { browser, os } = bowser.parse(userAgent);
  // A program has no name among browsers.
  if (!browser.name) return userAgent.split(/[\s/]/, 1)[0]!.slice(0, 64) || "unknown";
  return os.name === undefined ? browser.name : `${browser.name} on ${os.name}`;
}
