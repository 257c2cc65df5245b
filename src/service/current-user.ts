import { refusalOf } from "../guards/require.ts";
import { toUser } from "../identity/accounts/account.ts";
import type { FactorMethod } from "../identity/factors/factor.ts";
import type { FactorProof } from "../identity/factors/second-step.ts";
import type { Act } from "../kernel/audit-event.ts";
import { Refusal } from "../kernel/failure.ts";
import type { Role, User } from "../kernel/principal.ts";
import type { Composition } from "./compose.ts";

const INVALID = Object.freeze({ kind: "invalid" });

/** Where a sign-in comes from. */
export interface SignInOrigin {
  readonly address?: string;
  readonly userAgent?: string;
}

/** The password was right and is not enough: `verifyFactor` goes on with the token, once, within five minutes. */
export interface SecondFactorNeeded {
  readonly mfaToken: string;
  /** None where all that the user has is switched off. */
  readonly methods: readonly FactorMethod[];
}

/** Whom `createUser` makes an account for. */
export interface NewUser {
  readonly username: string;
  readonly password: string;
  readonly email?: string;
  /** `user` unless told. */
  readonly role?: Role;
}

/**
 * Makes an account, as the operator. Throws a `Refusal`: `validation_failed` for a name, password, e-mail address or
 * role that will not do, `conflict` for a name that is taken.
 */
export async function createUser(
  kyros: Pick<Composition, "accounts" | "clock">,
  { username, password, email, role = "user" }: NewUser,
): Promise<User> {
  const act: Act = { atMs: kyros.clock.now(), actor: { kind: "operator" } };
  return toUser(await kyros.accounts.create({ username, password, email: email ?? null, role }, act));
}

/**
 * The user that a name and password prove; what to go on with, where the account has a second factor; or `null`: for a
 * wrong password, an unknown or locked name and a disabled account alike, at the same cost. Failures in a row lock the
 * name; by address, only `kyros.signIn` limits tries. With the caller's `address`, a lock spares the places that the
 * user has signed in from before.
 */
export async function authenticateUser(
  kyros: Pick<Composition, "accounts" | "secondStep" | "clock">,
  username: string,
  password: string,
  origin: SignInOrigin = {},
): Promise<User | SecondFactorNeeded | null> {
  if (!isText(username) || !isText(password)) return null;
  const act = anonymousAct(kyros, origin);
  const proved = await kyros.accounts.authenticate(username, password, act);
  if (proved === undefined) return null;
  const { account, needsFactor, methods } = proved;
  if (!needsFactor) return toUser(account);
  return { mfaToken: await kyros.secondStep.begin(account, "token", act), methods };
}

/** The user that a second factor proves, after `authenticateUser` has asked for one; `null` for anything else. */
export async function verifyFactor(
  kyros: Pick<Composition, "secondStep" | "clock">,
  mfaToken: string,
  proof: FactorProof,
  origin: SignInOrigin = {},
): Promise<User | null> {
  const act = anonymousAct(kyros, origin);
  const proved = await kyros.secondStep.prove(await kyros.secondStep.find(mfaToken, act), proof, act);
  return proved === undefined ? null : toUser(proved.account);
}

/** Hosts hand on what a client sent, and no compiler has looked at that. */
function isText(value: unknown): value is string {
  return typeof value === "string";
}

function anonymousAct({ clock }: Pick<Composition, "clock">, origin: SignInOrigin): Act {
  return { ...origin, atMs: clock.now(), actor: { kind: "anonymous" } };
}

/** A signed access token for a user, in a session of its own: ending that session revokes it. */
export async function createAccessToken(
  kyros: Pick<Composition, "sessions" | "tokens" | "clock">,
  user: User,
  options: {
    readonly scopes?: readonly string[];
    /** Whether the host saw a second factor too: what `requireMfa` asks. */
    readonly mfa?: boolean;
    readonly address?: string;
    readonly userAgent?: string;
  } = {},
): Promise<string> {
  const nowMs = kyros.clock.now();
  const { scopes, mfa = false, ...origin } = options;
  const act: Act = { ...origin, atMs: nowMs, actor: { kind: "user", id: user.id, name: user.username } };
  // The host vouches for the user as of now; what the account says of changes is asked at each request.
  const session = await kyros.sessions.startToken(
    { ...user, passwordChangedAtMs: nowMs, roleChangedAtMs: nowMs },
    act,
    { mfa },
  );
  return kyros.tokens.issue({
    userId: user.id,
    sessionId: session.id,
    role: user.role,
    nowMs,
    ...(scopes && { scopes }),
  }).token;
}

/**
 * The live user that an access token stands for. Throws a `Refusal` (401) for a token that is invalid, expired or
 * revoked, and for a user who is disabled or gone; an `Outage` where that cannot be found out.
 */
export async function currentUser(
  kyros: Pick<Composition, "tokens" | "live" | "liveKeys" | "clock">,
  token: string,
): Promise<User> {
  const nowMs = kyros.clock.now();
  const verified = isText(token) ? kyros.tokens.verify(token, nowMs) : INVALID;
  if (verified.kind === "expired") throw new Refusal(refusalOf("token_expired"));
  if (verified.kind === "invalid") throw new Refusal(refusalOf("token_invalid"));
  const { claims } = verified;
  const outcome = await (claims.kind === "user"
    ? kyros.live.ofClaims(claims, nowMs)
    : kyros.liveKeys.ofClaims(claims, nowMs));
  if (outcome.kind === "authenticated") return outcome.principal.user;
  throw new Refusal(refusalOf(outcome.kind === "rejected" ? outcome.reason.code : "unauthenticated"));
}
