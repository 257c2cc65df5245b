import type { Static } from "typebox";
import { Type } from "typebox";
import { FACTOR_METHODS } from "../../identity/factors/factor.ts";
import type { FactorProof } from "../../identity/factors/second-step.ts";
import { Refusal } from "../../kernel/failure.ts";
import type { Problem } from "../../kernel/problem.ts";
import { problem } from "../../kernel/problem.ts";
import { actOf } from "../../pipeline/denial-event.ts";
import { routeGuards } from "../../pipeline/route-guards.ts";
import { freshPeople } from "../fresh-people.ts";
import { qrCode } from "../qr-code.ts";
import { BrowserSession, MfaToken, TokenPair } from "../schemas.ts";
import type { App, Service } from "../service.ts";
import { renewCookie, signInByFactor, startSession } from "../sign-in.ts";
import { SignatureShape, signatureOf } from "../webauthn-schemas.ts";

const closed = { additionalProperties: false };
const Code = Type.String({ minLength: 1, maxLength: 64 });

const RecoveryCodes = Type.Object({ recovery_codes: Type.Array(Type.String()) });

const VerifyRequest = Type.Object(
  {
    mfa_token: MfaToken,
    method: Type.Enum([...FACTOR_METHODS]),
    code: Type.Optional(Code),
    response: Type.Optional(SignatureShape),
  },
  closed,
);

/** The second step of signing in, and the authenticator app of a signed-in user. */
export function secondFactorRoutes(app: App, service: Service): void {
  app.post(
    "/auth/mfa/verify",
    {
      ...routeGuards.allowAnonymous({ csrf: "origin" }),
      schema: {
        summary: "Complete a sign-in that asked for a second factor: answers as what began it would have",
        body: VerifyRequest,
        response: { 200: Type.Union([TokenPair, BrowserSession]) },
      },
    },
    async (request, reply) => {
      const { exchange, body } = request;
      const signedIn = await signInByFactor(service, exchange, body.mfa_token, proofOf(body));
      return startSession(service, signedIn, exchange, reply);
    },
  );

  app.post(
    "/auth/mfa/totp",
    {
      ...freshPeople,
      schema: {
        summary: "Begin with an authenticator app: its secret, shown this once and pending until confirmed",
        response: {
          200: Type.Object({
            secret: Type.String({ description: "base32" }),
            uri: Type.String({ description: "otpauth://totp/…" }),
            qr: Type.String({ description: "the URI as a QR code: an SVG in a data: URL" }),
          }),
        },
      },
    },
    async (request, reply) => {
      const { text, uri } = await service.factors.offerTotp(request.principal, actOf(request.exchange));
      reply.header("cache-control", "no-store");
      return { secret: text, uri, qr: await qrCode(uri) };
    },
  );

  app.post(
    "/auth/mfa/totp/confirm",
    {
      ...freshPeople,
      schema: {
        summary: "Confirm the authenticator app with a code; recovery codes are shown this once",
        body: Type.Object({ code: Code }, closed),
        response: { 200: RecoveryCodes },
      },
    },
    async (request, reply) => {
      const { exchange, principal, body } = request;
      const confirmed = await service.factors.confirmTotp(principal, body.code, actOf(exchange));
      renewCookie(service, exchange, reply, confirmed);
      return { recovery_codes: [...confirmed.recoveryCodes] };
    },
  );

  app.delete(
    "/auth/mfa/totp",
    {
      ...freshPeople,
      schema: { summary: "Remove the authenticator app", response: { 204: Type.Null() } },
    },
    async (request, reply) => {
      const removed = await service.factors.removeTotp(request.principal, actOf(request.exchange));
      if (removed === false) throw new Refusal(problem("not_found", "There is no authenticator app."));
      renewCookie(service, request.exchange, reply, removed);
      reply.code(204);
    },
  );

  app.post(
    "/auth/mfa/recovery-codes",
    {
      ...freshPeople,
      schema: {
        summary: "Make ten new recovery codes, shown this once; the old ones end",
        response: { 200: RecoveryCodes },
      },
    },
    async (request, reply) => {
      const { exchange, principal } = request;
      const renewed = await service.factors.renewRecoveryCodes(principal, actOf(exchange));
      renewCookie(service, exchange, reply, renewed);
      return { recovery_codes: [...renewed.recoveryCodes] };
    },
  );
}

/** Each method has its own way to be shown, and takes no other. */
function proofOf({ method, code, response }: Static<typeof VerifyRequest>): FactorProof {
  if (method === "passkey") {
    if (response !== undefined && code === undefined) return { method, response: signatureOf(response) };
    throw new Refusal(invalid("response", "is what a passkey is shown by"));
  }
  if (code !== undefined && response === undefined) return { method, code };
  throw new Refusal(invalid("code", "is what this method is shown by"));
}

function invalid(field: string, message: string): Problem {
  return problem("validation_failed", `${field} ${message}.`, { errors: [{ field, message }] });
}
