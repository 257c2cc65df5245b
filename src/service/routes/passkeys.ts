import { Type } from "typebox";
import type { Passkey } from "../../identity/factors/factor.ts";
import type { PasskeyProofs } from "../../identity/factors/passkey-proofs.ts";
import { toRfc3339 } from "../../kernel/clock.ts";
import { Refusal } from "../../kernel/failure.ts";
import { problem } from "../../kernel/problem.ts";
import { actOf } from "../../pipeline/denial-event.ts";
import { routeGuards } from "../../pipeline/route-guards.ts";
import { freshPeople } from "../fresh-people.ts";
import { pageOf } from "../page.ts";
import { Id, IdParameter, Instant, Label, listOf, PageQuery } from "../schemas.ts";
import type { App, Service } from "../service.ts";
import { renewCookie } from "../sign-in.ts";
import { EnrolmentShape, enrolmentOf } from "../webauthn-schemas.ts";

const PasskeyShape = {
  id: Id,
  name: Type.String(),
  created_at: Instant,
  last_used_at: Type.Union([Instant, Type.Null()]),
};

const NO_SUCH_PASSKEY = problem("not_found", "There is no such passkey.");
const REFUSED = problem("mfa_invalid", "The passkey cannot be accepted. Begin again.");

/** A user's own passkeys. Another user's does not exist here. */
export function passkeyRoutes(app: App, service: Service): void {
  app.post(
    "/auth/passkeys/options",
    {
      ...freshPeople,
      schema: {
        summary: "Options for navigator.credentials.create, good for five minutes and once",
        response: { 200: Type.Unknown() },
      },
    },
    async (request, reply) => {
      const { principal, exchange } = request;
      await service.factors.assertAssured(principal);
      reply.header("cache-control", "no-store");
      return passkeysOf(service).enrolmentOptions(principal.user, principal.sessionId, exchange.nowMs);
    },
  );

  app.post(
    "/auth/passkeys",
    {
      ...freshPeople,
      schema: {
        summary: "Add a passkey; with the first factor, recovery codes are shown this once",
        body: Type.Object(
          { name: Type.Optional(Label), response: EnrolmentShape },
          { additionalProperties: false },
        ),
        response: {
          201: Type.Object({ ...PasskeyShape, recovery_codes: Type.Optional(Type.Array(Type.String())) }),
        },
      },
    },
    async (request, reply) => {
      const { principal, exchange, body } = request;
      const act = actOf(exchange);
      const { user, sessionId } = principal;
      const response = enrolmentOf(body.response);
      const verdict = await passkeysOf(service).verifyEnrolment(response, user.id, sessionId, act.atMs);
      if (verdict.kind === "refused") {
        const details = { method: "passkey", enrolment: true };
        const failed = { ...act, name: "auth.mfa.failed", outcome: "failure", subject: user.id } as const;
        await service.events.record({ ...failed, reason: verdict.cause, details });
        throw new Refusal(REFUSED);
      }
      const name = body.name ?? "passkey";
      const added = await service.factors.addPasskey(principal, verdict.credential, name, act);
      renewCookie(service, exchange, reply, added);
      reply.code(201);
      const { passkey, recoveryCodes } = added;
      return { ...publicPasskey(passkey), ...(recoveryCodes && { recovery_codes: [...recoveryCodes] }) };
    },
  );

  app.get(
    "/auth/passkeys",
    {
      ...routeGuards.requirePerson(),
      schema: {
        summary: "The user's passkeys",
        querystring: Type.Object(PageQuery, { additionalProperties: false }),
        response: { 200: listOf(Type.Object(PasskeyShape)) },
      },
    },
    async (request) => {
      const passkeys = await service.stores.factors.listPasskeys(request.currentUser.id);
      // So few that they are read whole.
      const { items, next_cursor } = await pageOf(request.query, async ({ limit, afterId = "" }) =>
        passkeys.filter(({ id }) => id > afterId).slice(0, limit),
      );
      return { items: items.map(publicPasskey), next_cursor };
    },
  );

  app.delete(
    "/auth/passkeys/:id",
    {
      ...freshPeople,
      schema: { summary: "Remove a passkey", params: IdParameter, response: { 204: Type.Null() } },
    },
    async (request, reply) => {
      const { principal, exchange, params } = request;
      const removed = await service.factors.removePasskey(principal, params.id, actOf(exchange));
      if (removed === false) throw new Refusal(NO_SUCH_PASSKEY);
      renewCookie(service, exchange, reply, removed);
      reply.code(204);
    },
  );
}

/** What passkeys are proved with; a refusal where they are off. */
export function passkeysOf(service: Service): PasskeyProofs {
  if (service.passkeys === undefined) throw new Refusal(problem("not_found", "Passkeys are off."));
  return service.passkeys;
}

function publicPasskey({ id, name, createdAtMs, lastUsedAtMs }: Passkey) {
  return {
    id,
    name,
    created_at: toRfc3339(createdAtMs),
    last_used_at: lastUsedAtMs === null ? null : toRfc3339(lastUsedAtMs),
  };
}
