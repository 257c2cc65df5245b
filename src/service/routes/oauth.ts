import { Type } from "typebox";
import { scopesCover } from "../../guards/scope.ts";
import type { ServiceTokenClaims } from "../../identity/tokens/access-tokens.ts";
import type { Act } from "../../kernel/audit-event.ts";
import { actOf } from "../../pipeline/denial-event.ts";
import { routeGuards } from "../../pipeline/route-guards.ts";
import { FORM_TYPE } from "../body-types.ts";
import { inspectToken } from "../inspect-token.ts";
import { createOAuthErrorHandler, refuseOAuth } from "../oauth-answer.ts";
import { authenticateClient, authenticateClientOrKey } from "../oauth-client.ts";
import type { App, Service } from "../service.ts";

const Text = Type.Optional(Type.String({ maxLength: 4096 }));
/** RFC 6749 section 3.2: unknown parameters are ignored, so that a client may send what its library always sends. */
const TokenRequest = Type.Object({ grant_type: Text, scope: Text, client_id: Text, client_secret: Text });
const TokenHandle = Type.Object({
  token: Type.String({ minLength: 1, maxLength: 4096 }),
  token_type_hint: Text,
});

const IntrospectionRequest = Type.Object({
  ...TokenHandle.properties,
  client_id: Text,
  client_secret: Text,
});

const UNKNOWN_CLIENT = "The client is not known, or its secret is wrong.";

const open = routeGuards.allowAnonymous({ csrf: "origin" });

/** What OAuth 2.0 clients and resource servers expect to find: tokens for service accounts, revocation, introspection. */
export function oauthRoutes(app: App, service: Service): void {
  const form = {
    config: { ...open.config, bodyTypes: [FORM_TYPE] },
    errorHandler: createOAuthErrorHandler(service),
  };

  app.post(
    "/oauth/token",
    {
      ...form,
      schema: {
        summary: "A token for a service account (RFC 6749 section 4.4): its API key is the client secret",
        consumes: [FORM_TYPE],
        body: TokenRequest,
        response: { 200: Type.Unknown({ description: "RFC 6749 section 5.1" }) },
      },
    },
    async (request, reply) => {
      const { exchange, body } = request;
      if (body.grant_type !== "client_credentials") {
        return body.grant_type === undefined
          ? refuseOAuth(request, reply, "invalid_request", "Send grant_type=client_credentials.")
          : refuseOAuth(request, reply, "unsupported_grant_type", "Only client_credentials is granted here.");
      }
      const client = await authenticateClient(service, request, body);
      if (client === undefined) return refuseOAuth(request, reply, "invalid_client", UNKNOWN_CLIENT);
      const { apiKey, principal } = client;
      const scopes = body.scope ? body.scope.split(" ").filter((scope) => scope !== "") : apiKey.scopes;
      if (!scopesCover(apiKey.scopes, scopes)) {
        return refuseOAuth(request, reply, "invalid_scope", "The client may not have this scope.");
      }
      service.events.assertWritable?.();
      const issued = service.tokens.issueService({ keyId: apiKey.id, scopes, nowMs: exchange.nowMs });
      await service.events.record({
        ...actOf(exchange),
        actor: { kind: "api_key", id: principal.keyId, name: principal.keyName },
        name: "auth.login.succeeded",
        outcome: "success",
        subject: apiKey.id,
      });
      reply.header("cache-control", "no-store");
      return {
        access_token: issued.token,
        token_type: "bearer",
        expires_in: issued.expiresAtMs / 1000 - Math.floor(exchange.nowMs / 1000),
        ...(scopes.length > 0 && { scope: scopes.join(" ") }),
      };
    },
  );

  app.post(
    "/oauth/revoke",
    {
      ...form,
      schema: {
        summary: "Revoke a token by showing it (RFC 7009)",
        consumes: [FORM_TYPE],
        body: TokenHandle,
      },
    },
    async (request, reply) => {
      const { exchange, body } = request;
      const act = actOf(exchange);
      const family = await service.refreshTokens.sessionOf(body.token, exchange.nowMs);
      if (family !== undefined) await service.sessions.end(family.sessionId, family.userId, act);
      const verified = service.tokens.verify(body.token, exchange.nowMs);
      if (verified.kind === "valid") {
        const { claims } = verified;
        // A user's token is one of a session, and RFC 7009 section 2.1 lets the grant go with it: so does a logout.
        if (claims.kind === "user") await service.sessions.end(claims.sid, claims.sub, act);
        else await revokeServiceToken(service, claims, act);
      }
      // RFC 7009 section 2.2: a token that is none is as revoked as can be.
      return reply.code(200).header("cache-control", "no-store").send();
    },
  );

  app.post(
    "/oauth/introspect",
    {
      ...form,
      schema: {
        summary:
          "What a token says, and whether it counts (RFC 7662): for API keys with the scope `introspect`",
        consumes: [FORM_TYPE],
        body: IntrospectionRequest,
        response: { 200: Type.Unknown({ description: "RFC 7662 section 2.2" }) },
      },
    },
    async (request, reply) => {
      const { body, exchange } = request;
      const client = await authenticateClientOrKey(service, request, body);
      if (client === undefined) return refuseOAuth(request, reply, "invalid_client", UNKNOWN_CLIENT);
      if (!scopesCover(client.principal.scopes, ["introspect"])) {
        return refuseOAuth(request, reply, "insufficient_scope", "The client may not inspect tokens.");
      }
      reply.header("cache-control", "no-store");
      return inspectToken(service, body.token, exchange.nowMs);
    },
  );
}

/** A program signs out by it, as it signed in at `/oauth/token`: the same subject, the key. Told once. */
async function revokeServiceToken(service: Service, claims: ServiceTokenClaims, act: Act): Promise<void> {
  const { revocations } = service.stores;
  service.events.assertWritable?.();
  if (await revocations.isRevoked(claims.jti)) return;
  await revocations.revoke(claims.jti, claims.expiresAtMs);
  await service.events.record({
    ...act,
    name: "auth.logout",
    outcome: "success",
    subject: claims.sub,
    reason: "token revoked",
    details: { token_id: claims.jti },
  });
}
