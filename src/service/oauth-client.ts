import type { FastifyRequest } from "fastify";
import type { ApiKey } from "../identity/api-keys/api-key.ts";
import type { ServicePrincipal } from "../kernel/principal.ts";
import { actOf } from "../pipeline/denial-event.ts";
import type { Service } from "./service.ts";

/** A program that proved itself to an OAuth endpoint. */
export interface OAuthClient {
  readonly apiKey: ApiKey;
  readonly principal: ServicePrincipal;
}

type Form = Readonly<Record<string, string | undefined>>;

/**
 * The client that a request proves: its id is the API key's (or the key's public part), its secret the key's whole
 * text. `undefined`, and told to the log, where it proves none.
 */
export async function authenticateClient(
  service: Service,
  request: FastifyRequest,
  form: Form,
): Promise<OAuthClient | undefined> {
  const credentials = clientCredentials(request.headers.authorization, form);
  // A key of the configuration has no public part and is no client: a token for it would find no key to stand on.
  return prove(
    service,
    request,
    credentials?.secret,
    (apiKey) => apiKey.publicId !== "" && [apiKey.id, apiKey.publicId].includes(credentials!.id),
  );
}

/** The same for an endpoint that a key may also call as it calls any other: `X-API-Key`, or the key as a bearer. */
export function authenticateClientOrKey(
  service: Service,
  request: FastifyRequest,
  form: Form,
): Promise<OAuthClient | undefined> {
  const { authorization, "x-api-key": header } = request.headers;
  const key = typeof header === "string" ? header : bearer(authorization);
  return key === undefined
    ? authenticateClient(service, request, form)
    : prove(service, request, key, () => true);
}

async function prove(
  service: Service,
  request: FastifyRequest,
  key: string | undefined,
  isNamed: (apiKey: ApiKey) => boolean,
): Promise<OAuthClient | undefined> {
  const { exchange } = request;
  const outcome =
    key === undefined
      ? undefined
      : await service.apiKeys.verify(key, exchange.client.address, exchange.nowMs);
  if (outcome?.kind === "valid" && isNamed(outcome.apiKey)) {
    const live = await service.liveKeys.ofKey(outcome.apiKey);
    if (live.kind === "authenticated" && live.principal.kind === "service") {
      return { apiKey: outcome.apiKey, principal: live.principal };
    }
  }
  const reason = outcome?.kind === "invalid" ? outcome.cause : "no such client";
  await service.events.record({ ...actOf(exchange), name: "api_key.rejected", outcome: "failure", reason });
  return undefined;
}

function bearer(authorization: string | undefined): string | undefined {
  return authorization?.slice(0, 7).toLowerCase() === "bearer " ? authorization.slice(7) : undefined;
}

/** A client's credentials: `Authorization: Basic`, or form fields (RFC 6749 section 2.3.1); never both. */
function clientCredentials(
  authorization: string | undefined,
  form: Readonly<Record<string, string | undefined>>,
): { readonly id: string; readonly secret: string } | undefined {
  const { client_id: formId, client_secret: formSecret } = form;
  if (authorization === undefined) {
    return formId === undefined || formSecret === undefined ? undefined : { id: formId, secret: formSecret };
  }
  if (formSecret !== undefined || authorization.slice(0, 6).toLowerCase() !== "basic ") return undefined;
  const encoded = authorization.slice(6);
  const bytes = Buffer.from(encoded, "base64");
  // A decoder passes over what is no base64: one text for one pair of credentials, and no other (RFC 7617 section 2).
  if (bytes.toString("base64") !== encoded) return undefined;
  const decoded = bytes.toString("utf8");
  const colon = decoded.indexOf(":");
  if (colon < 0) return undefined;
  const id = formDecoded(decoded.slice(0, colon));
  const secret = formDecoded(decoded.slice(colon + 1));
  return id === undefined || secret === undefined || (formId !== undefined && formId !== id)
    ? undefined
    : { id, secret };
}

/** RFC 6749 appendix B: both halves are form-encoded before they are joined. */
function formDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}
