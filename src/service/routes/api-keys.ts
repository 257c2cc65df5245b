import { Type } from "typebox";
import type { ApiKey } from "../../identity/api-keys/api-key.ts";
import { toRfc3339 } from "../../kernel/clock.ts";
import { parseDuration } from "../../kernel/duration.ts";
import { Refusal } from "../../kernel/failure.ts";
import { problem } from "../../kernel/problem.ts";
import { actOf } from "../../pipeline/denial-event.ts";
import { routeGuards } from "../../pipeline/route-guards.ts";
import { newApiKey } from "../new-api-key.ts";
import { pageOf } from "../page.ts";
import { Id, IdParameter, Instant, Label, listOf, PageQuery } from "../schemas.ts";
import type { App, Service } from "../service.ts";

const Texts = (maxItems: number, maxLength: number) =>
  Type.Array(Type.String({ minLength: 1, maxLength }), { maxItems });

const KeyShape = {
  id: Id,
  name: Type.String(),
  scopes: Type.Array(Type.String()),
  address_ranges: Type.Array(Type.String()),
  rate_limits: Type.Array(Type.String()),
  expires_at: Type.Union([Instant, Type.Null()]),
  created_at: Instant,
};
const NewKeyShape = Type.Object({ ...KeyShape, key: Type.String({ description: "shown this once" }) });
const ListedKeyShape = Type.Object({ ...KeyShape, last_used_at: Type.Union([Instant, Type.Null()]) });

const DEFAULT_OVERLAP = "24h";
const MOST_KEYS = 100;
const NO_SUCH_KEY = problem("not_found", "There is no such API key.");

/** A user's own keys. A key never manages keys, whatever its scopes; another user's key does not exist here. */
export function apiKeyRoutes(app: App, service: Service): void {
  const people = routeGuards.requirePerson();

  app.get(
    "/auth/api-keys",
    {
      ...people,
      schema: {
        summary: "The user's API keys",
        querystring: Type.Object(PageQuery, { additionalProperties: false }),
        response: { 200: listOf(ListedKeyShape) },
      },
    },
    async (request) => {
      const { items, next_cursor } = await pageOf(request.query, (query) =>
        service.stores.apiKeys.list({ ...query, ownerId: request.currentUser.id, unrevoked: true }),
      );
      return { items: items.map(listedKey), next_cursor };
    },
  );

  app.post(
    "/auth/api-keys",
    {
      ...people,
      schema: {
        summary: "Make an API key; its text is shown this once",
        body: Type.Object(
          {
            name: Label,
            scopes: Type.Optional(Texts(64, 256)),
            expires_in: Type.Optional(Type.String({ maxLength: 16 })),
            address_ranges: Type.Optional(Texts(64, 64)),
            rate_limits: Type.Optional(Texts(8, 64)),
          },
          { additionalProperties: false },
        ),
        response: { 201: NewKeyShape },
      },
    },
    async (request, reply) => {
      const { exchange, principal, body } = request;
      const wanted = newApiKey(body, principal.user.id, exchange.nowMs);
      const { apiKey, text } = await service.apiKeys.create(wanted, actOf(exchange), MOST_KEYS);
      reply.code(201).header("cache-control", "no-store");
      return { ...publicKey(apiKey), key: text };
    },
  );

  app.delete(
    "/auth/api-keys/:id",
    {
      ...people,
      schema: { summary: "Revoke an API key", params: IdParameter, response: { 204: Type.Null() } },
    },
    async (request, reply) => {
      const apiKey = await ownKey(service, request.params.id, request.currentUser.id);
      const revoked = await service.apiKeys.revoke(apiKey, actOf(request.exchange));
      if (!revoked) throw new Refusal(NO_SUCH_KEY);
      reply.code(204);
    },
  );

  app.post(
    "/auth/api-keys/:id/rotate",
    {
      ...people,
      schema: {
        summary: "Give an API key a new secret; the old one works until the overlap ends",
        params: IdParameter,
        // No body at all is `null` to the validator.
        body: Type.Union([
          Type.Object(
            { overlap: Type.Optional(Type.String({ maxLength: 16 })) },
            { additionalProperties: false },
          ),
          Type.Null(),
        ]),
        response: { 200: NewKeyShape },
      },
    },
    async (request, reply) => {
      const { exchange } = request;
      const apiKey = await ownKey(service, request.params.id, request.currentUser.id);
      const overlapMs = overlapOf(request.body?.overlap ?? DEFAULT_OVERLAP);
      const rotated = await service.apiKeys.rotate(apiKey, overlapMs, actOf(exchange));
      if (rotated === undefined)
        throw new Refusal(problem("conflict", "The key was just rotated or revoked. Look again."));
      reply.header("cache-control", "no-store");
      return { ...publicKey(apiKey), key: rotated.text };
    },
  );
}

/** Always looked up with its owner: another's key answers as one that never was (ASVS V8.2.2). */
async function ownKey(service: Service, id: string, ownerId: string): Promise<ApiKey> {
  const apiKey = await service.stores.apiKeys.findById(id);
  if (apiKey === undefined || apiKey.ownerId !== ownerId || apiKey.revokedAtMs !== null)
    throw new Refusal(NO_SUCH_KEY);
  return apiKey;
}

function overlapOf(text: string): number {
  const ms = text === "0" ? 0 : parseDuration(text);
  if (ms !== undefined) return ms;
  const errors = [{ field: "overlap", message: "must be a duration like 24h, or 0" }];
  throw new Refusal(problem("validation_failed", "The overlap is not valid.", { errors }));
}

function publicKey(apiKey: ApiKey) {
  return {
    id: apiKey.id,
    name: apiKey.name,
    scopes: [...apiKey.scopes],
    address_ranges: [...apiKey.addressRanges],
    rate_limits: [...apiKey.rateLimits],
    expires_at: apiKey.expiresAtMs === null ? null : toRfc3339(apiKey.expiresAtMs),
    created_at: toRfc3339(apiKey.createdAtMs),
  };
}

function listedKey(apiKey: ApiKey) {
  return {
    ...publicKey(apiKey),
    last_used_at: apiKey.lastUsedAtMs === null ? null : toRfc3339(apiKey.lastUsedAtMs),
  };
}
