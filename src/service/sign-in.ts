import type { FastifyReply } from "fastify";
import { stageAllowance } from "../guards/limit-headers.ts";
import type { Account } from "../identity/accounts/account.ts";
import type { Credentials, FactorRequired, NotSignedIn, SignedIn } from "../identity/accounts/sign-in.ts";
import { asksForFactor } from "../identity/factors/factor.ts";
import type { FactorProof } from "../identity/factors/second-step.ts";
import type { Session } from "../identity/sessions/session.ts";
import { toRfc3339 } from "../kernel/clock.ts";
import type { Allowance, Exchange } from "../kernel/exchange.ts";
import { Refusal } from "../kernel/failure.ts";
import type { Problem } from "../kernel/problem.ts";
import { problem } from "../kernel/problem.ts";
import { actOf } from "../pipeline/denial-event.ts";
import type { Service } from "./service.ts";

const INVALID_CREDENTIALS = problem("invalid_credentials", "The user name or password is wrong.");
/** One answer for a wrong code, a spent token and a locked account: none tells which. */
export const INVALID_FACTOR = problem(
  "mfa_invalid",
  "The second factor is not valid, or the sign-in has expired. Try again, or sign in anew.",
);
export const INVALID_PASSKEY = problem("invalid_credentials", "The passkey cannot be accepted.");

/** The sign-in that a name and password make, or a refusal; the login limit's headers are staged either way. */
export async function signIn(
  service: Service,
  exchange: Exchange,
  credentials: Credentials,
  sessionKind: Session["kind"],
): Promise<SignedIn> {
  const outcome = await service.signIn.byPassword(credentials, actOf(exchange), sessionKind);
  return settled(outcome, exchange, INVALID_CREDENTIALS);
}

/** The sign-in that a second factor completes, or a refusal. */
export async function signInByFactor(
  service: Service,
  exchange: Exchange,
  mfaToken: string,
  proof: FactorProof,
): Promise<SignedIn> {
  const outcome = await service.signIn.bySecondFactor(mfaToken, proof, actOf(exchange));
  return settled(outcome, exchange, INVALID_FACTOR);
}

/** The account whose password a signed-in person has given again, or a refusal, as of a sign-in. */
export async function confirmPassword(
  service: Service,
  exchange: Exchange,
  credentials: Credentials,
): Promise<Account> {
  const outcome = await service.signIn.confirmPassword(credentials, actOf(exchange));
  return settled(outcome, exchange, INVALID_CREDENTIALS).account;
}

/** What has come to an account; a refusal else. */
export function settled<T extends { readonly account: Account; readonly allowance?: Allowance }>(
  outcome: T | FactorRequired | NotSignedIn,
  exchange: Exchange,
  refusal: Problem,
): T {
  if (outcome.allowance) stageAllowance(exchange, outcome.allowance);
  if ("account" in outcome) return outcome;
  switch (outcome.kind) {
    case "refused":
      throw new Refusal(refusal);
    case "factor_required": {
      const extensions = { mfa_token: outcome.mfaToken, methods: outcome.methods };
      const detail = "Complete the sign-in with POST /auth/mfa/verify.";
      throw new Refusal(problem("mfa_required", detail, { extensions }));
    }
    case "limited": {
      const seconds = String(outcome.allowance.retryAfterSeconds);
      const detail = `Too many tries. Try again in ${seconds} s.`;
      throw new Refusal(problem("rate_limited", detail, { headers: ["retry-after", seconds] }));
    }
  }
}

/** Counts the beginning of a sign-in that names nobody yet, by its address alone. */
export async function limitSignIn(service: Service, exchange: Exchange): Promise<void> {
  const allowance = await service.loginLimit.charge(undefined, actOf(exchange));
  if (allowance?.allowed === false) settled({ kind: "limited", allowance }, exchange, INVALID_FACTOR);
  else if (allowance) stageAllowance(exchange, allowance);
}

/** An access token of a session, in the shape of RFC 6749 section 5.1. */
export function tokenPair(
  service: Service,
  account: Account,
  sessionId: string,
  refreshToken: string,
  nowMs: number,
) {
  const issued = service.tokens.issue({ userId: account.id, sessionId, role: account.role, nowMs });
  return {
    access_token: issued.token,
    token_type: "bearer" as const,
    // As the token itself counts: from its `iat`, a whole second.
    expires_in: issued.expiresAtMs / 1000 - Math.floor(nowMs / 1000),
    refresh_token: refreshToken,
  };
}

/** Starts the session of whoever has signed in, and answers what its kind is carried by. */
export async function startSession(
  service: Service,
  signedIn: SignedIn,
  exchange: Exchange,
  reply: FastifyReply,
) {
  return signedIn.sessionKind === "browser"
    ? startBrowser(service, signedIn, exchange, reply)
    : startTokens(service, signedIn, exchange, reply);
}

/** Starts the session of a signed-in program, with its first pair of tokens. */
export async function startTokens(
  service: Service,
  { account, mfa }: SignedIn,
  exchange: Exchange,
  reply: FastifyReply,
) {
  const session = await service.sessions.startToken(account, actOf(exchange), { mfa });
  await refuseOvertaken(service, session, exchange);
  const refreshToken = await service.refreshTokens.issue(session, exchange.nowMs);
  reply.header("cache-control", "no-store");
  return tokenPair(service, account, session.id, refreshToken, exchange.nowMs);
}

/** Starts the session of a signed-in browser, with its cookie. */
export async function startBrowser(
  service: Service,
  { account, mfa }: SignedIn,
  exchange: Exchange,
  reply: FastifyReply,
) {
  const act = actOf(exchange);
  // The session that the browser came with, whoever put it there, is over (session fixation; ASVS V7.2.4).
  const replaced = service.cookies.read(exchange);
  if (replaced !== undefined) await service.sessions.endBySecret(replaced, act);
  const { session, secret } = await service.sessions.startBrowser(account, act, { mfa });
  await refuseOvertaken(service, session, exchange);
  reply.header("cache-control", "no-store");
  reply.header("set-cookie", service.cookies.set(exchange, secret, maxAgeSeconds(service)));
  return { id: account.id, username: account.username, expires_at: toRfc3339(session.expiresAtMs) };
}

/**
 * A factor that was enrolled while the password was being checked: the enrolment has ended the sessions it found, and
 * this one may have come after.
 */
async function refuseOvertaken(service: Service, session: Session, exchange: Exchange): Promise<void> {
  if (session.mfa || !asksForFactor(await service.stores.factors.summaryOf(session.userId))) return;
  await service.sessions.end(session.id, session.userId, actOf(exchange));
  throw new Refusal(INVALID_CREDENTIALS);
}

/** How long a browser keeps the cookie: no longer than any session lives. */
export function maxAgeSeconds(service: Service): number {
  return Math.floor(service.sessionMaxTtlMs / 1000);
}

/** Hands a browser the new secret of its session, where it has one. */
export function renewCookie(
  service: Service,
  exchange: Exchange,
  reply: FastifyReply,
  { secret }: { readonly secret?: string },
): void {
  reply.header("cache-control", "no-store");
  if (secret !== undefined) {
    reply.header("set-cookie", service.cookies.set(exchange, secret, maxAgeSeconds(service)));
  }
}
