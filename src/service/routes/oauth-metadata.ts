import type { FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";
import { routeGuards } from "../../pipeline/route-guards.ts";
import type { App, Service } from "../service.ts";

const METADATA = "/.well-known/oauth-authorization-server";
const CLIENT_SECRET = ["client_secret_basic", "client_secret_post"];

/** What OAuth clients and resource servers learn about this server without being told. */
export function oauthMetadataRoutes(app: App, service: Service): void {
  const { issuerUrl } = service;
  const open = routeGuards.allowAnonymous();

  function metadata({ exchange }: FastifyRequest, reply: FastifyReply): void {
    const issuer = issuerUrl ?? `${exchange.client.scheme}://${exchange.client.host}`;
    const base = issuer.replace(/\/$/, "");
    reply.header("cache-control", "no-store").send({
      issuer,
      token_endpoint: `${base}/oauth/token`,
      revocation_endpoint: `${base}/oauth/revoke`,
      introspection_endpoint: `${base}/oauth/introspect`,
      ...(service.tokens.publicJwks().keys.length > 0 && { jwks_uri: `${base}/.well-known/jwks.json` }),
      response_types_supported: [],
      grant_types_supported: ["client_credentials"],
      token_endpoint_auth_methods_supported: CLIENT_SECRET,
      revocation_endpoint_auth_methods_supported: ["none"],
      introspection_endpoint_auth_methods_supported: CLIENT_SECRET,
      service_documentation: `${base}/docs`,
    });
  }

  const schema = { summary: "Metadata for OAuth clients (RFC 8414)", response: { 200: Type.Unknown() } };
  app.get(METADATA, { ...open, schema }, metadata);
  const path = issuerUrl === undefined ? "" : new URL(issuerUrl).pathname.replace(/\/$/, "");
  // RFC 8414 section 3.1: the path of an issuer follows the well-known one.
  if (path !== "") app.get(METADATA + path.replaceAll(":", "::"), { ...open, schema }, metadata);

  app.get(
    "/.well-known/jwks.json",
    {
      ...open,
      schema: {
        summary: "The public keys of access tokens, where there are any",
        response: { 200: Type.Unknown({ description: "A JWK set (RFC 7517)" }) },
      },
    },
    (_request, reply) => {
      reply.header("cache-control", "public, max-age=300").send(service.tokens.publicJwks());
    },
  );
}
