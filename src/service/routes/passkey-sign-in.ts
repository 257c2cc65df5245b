import { Type } from "typebox";
import { Refusal } from "../../kernel/failure.ts";
import { problem } from "../../kernel/problem.ts";
import { actOf } from "../../pipeline/denial-event.ts";
import { routeGuards } from "../../pipeline/route-guards.ts";
import { BrowserSession, MfaToken, TokenPair } from "../schemas.ts";
import type { App, Service } from "../service.ts";
import { INVALID_FACTOR, INVALID_PASSKEY, limitSignIn, settled, startSession } from "../sign-in.ts";
import { SignatureShape, signatureOf } from "../webauthn-schemas.ts";
import { passkeysOf } from "./passkeys.ts";

const closed = { additionalProperties: false };
const open = routeGuards.allowAnonymous({ csrf: "origin" });

/** Signing in with a passkey: alone, or as the second factor of a sign-in that has begun. */
export function passkeySignInRoutes(app: App, service: Service): void {
  app.post(
    "/auth/passkeys/login/options",
    {
      ...open,
      schema: {
        summary: "Options for navigator.credentials.get; with an mfa_token, for the user's passkeys alone",
        // No body at all is `null` to the validator.
        body: Type.Union([Type.Object({ mfa_token: Type.Optional(MfaToken) }, closed), Type.Null()]),
        response: { 200: Type.Unknown() },
      },
    },
    async (request, reply) => {
      const { exchange, body } = request;
      const passkeys = passkeysOf(service);
      const act = actOf(exchange);
      await limitSignIn(service, exchange);
      reply.header("cache-control", "no-store");
      if (body?.mfa_token === undefined) return passkeys.signInOptions(act.atMs);
      const pending = await service.secondStep.find(body.mfa_token, act);
      if (pending === undefined) throw new Refusal(INVALID_FACTOR);
      return passkeys.secondStepOptions(pending.account.id, pending.challenge.hash, act.atMs);
    },
  );

  app.post(
    "/auth/passkeys/login",
    {
      ...open,
      schema: {
        summary: "Sign in with a passkey that verifies its user: tokens, or with session: browser a cookie",
        body: Type.Object(
          { response: SignatureShape, session: Type.Optional(Type.Enum(["token", "browser"])) },
          closed,
        ),
        response: { 200: Type.Union([TokenPair, BrowserSession]) },
      },
    },
    async (request, reply) => {
      const { exchange, body } = request;
      const { response, session = "token" } = body;
      const outcome = await service.signIn.byPasskey(signatureOf(response), actOf(exchange), session);
      if (outcome === undefined) throw new Refusal(problem("not_found", "Passkeys are off."));
      return startSession(service, settled(outcome, exchange, INVALID_PASSKEY), exchange, reply);
    },
  );
}
