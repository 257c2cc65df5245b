import { refusalOf } from "../guards/require.ts";
import { toUser } from "../identity/accounts/account.ts";
import type { Act } from "../kernel/audit-event.ts";
import { Refusal } from "../kernel/failure.ts";
import type { User } from "../kernel/principal.ts";
import type { Composition } from "./compose.ts";

/**
 * The user that a name and password prove, or `null`: for a wrong password, an unknown or locked name and a disabled
 * account alike, at the same cost. Failures in a row lock the name; by address, only `kyros.signIn` limits tries. With
 * the caller's `address`, a lock spares the places that the user has signed in from before.
 */
export async function authenticateUser(
  kyros: Pick<Composition, "accounts" | "clock">,
  username: string,
  password: string,
  origin: { readonly address?: string; readonly userAgent?: string } = {},
): Promise<User | null> {
  const act: Act = { ...origin, atMs: kyros.clock.now(), actor: { kind: "anonymous" } };
  const account = await kyros.accounts.authenticate(username, password, act);
  return account === undefined ? null : toUser(account);
}

/** A signed access token for a user, in a session of its own: ending that session revokes it. */
export async function createAccessToken(
  kyros: Pick<Composition, "sessions" | "tokens" | "clock">,
  user: User,
  options: {
    readonly scopes?: readonly string[];
    readonly address?: string;
    readonly userAgent?: string;
  } = {},
): Promise<string> {
  const nowMs = kyros.clock.now();
  const { scopes, ...origin } = options;
  const act: Act = { ...origin, atMs: nowMs, actor: { kind: "user", id: user.id, name: user.username } };
  // The host vouches for the user as of now; what the account says of changes is asked at each request.
  const session = await kyros.sessions.startToken(
    { ...user, passwordChangedAtMs: nowMs, roleChangedAtMs: nowMs },
    act,
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
  const verified = kyros.tokens.verify(token, nowMs);
  if (verified.kind === "expired") throw new Refusal(refusalOf("token_expired"));
  if (verified.kind === "invalid") throw new Refusal(refusalOf("token_invalid"));
  const { claims } = verified;
  const outcome = await (claims.kind === "user"
    ? kyros.live.ofClaims(claims, nowMs)
    : kyros.liveKeys.ofClaims(claims, nowMs));
  if (outcome.kind === "authenticated") return outcome.principal.user;
  throw new Refusal(refusalOf(outcome.kind === "rejected" ? outcome.reason.code : "unauthenticated"));
}
