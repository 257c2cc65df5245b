import type { Account, AccountStore } from "../../identity/accounts/account.ts";
import { toUser } from "../../identity/accounts/account.ts";
import type { Session, SessionStore } from "../../identity/sessions/session.ts";
import { isLive } from "../../identity/sessions/session.ts";
import type { UserTokenClaims } from "../../identity/tokens/access-tokens.ts";
import type { RevocationStore } from "../../identity/tokens/revocation.ts";
import type { AuthOutcome } from "../../kernel/authentication.ts";
import { rejected } from "../../kernel/authentication.ts";
import type { Awaitable } from "../../kernel/awaitable.ts";
import { isPending, then } from "../../kernel/awaitable.ts";
import type { UserPrincipal } from "../../kernel/principal.ts";
import { versionOf } from "../../kernel/read-version.ts";
import { createUseNotes } from "./use-notes.ts";

export interface LiveCredentialsOptions {
  readonly accounts: AccountStore;
  readonly sessions: SessionStore;
  readonly revocations: RevocationStore;
  /** How far each use of a session moves its idle end (ms). */
  readonly idleTtlMs: { readonly browser: number; readonly token: number };
  /** Called where a session's last use could not be noted; the request goes on. */
  readonly onTouchFailed: (error: unknown) => void;
}

/** Resolves what a credential claims to who that is now: a live session of a live user (ASVS V7.4.1, V7.4.2). */
export interface LiveCredentials {
  ofClaims(claims: UserTokenClaims, nowMs: number): Awaitable<AuthOutcome>;
  ofSession(session: Session | undefined, nowMs: number): Awaitable<AuthOutcome>;
  ofSessionId(sessionId: string, nowMs: number): Awaitable<AuthOutcome>;
  /** Resolves once every use has been noted. */
  settle(): Promise<void>;
}

/** A use is noted at most this often: last-seen is for people, and writing at every request would be for nobody. */
const TOUCH_EVERY_MS = 60_000;
/** A short idle time is moved this often while it runs, so that what ends a session is never the coarseness of notes. */
const TOUCHES_AN_IDLE_TIME = 20;

/** Who a token stands for, as of a version of the rows that say so. */
interface Resolution {
  readonly version: number;
  readonly session: Session;
  readonly outcome: AuthOutcome;
}

export function createLiveCredentials(options: LiveCredentialsOptions): LiveCredentials {
  const { accounts, sessions, revocations, idleTtlMs, onTouchFailed } = options;
  const usesOf = (kind: Session["kind"]) =>
    createUseNotes<undefined>(
      (used, firstMs) => sessions.touch([...used.keys()], firstMs, firstMs + idleTtlMs[kind]),
      onTouchFailed,
    );
  const liveVersion = versionOf([accounts.findById, sessions.findById, revocations.isRevoked]);
  /** By the claims of a remembered token, which are one object for as long as it is. */
  const resolutions = new WeakMap<UserTokenClaims, Resolution>();
  const uses = { browser: usesOf("browser"), token: usesOf("token") };
  const touchEveryMs = { browser: everyMs(idleTtlMs.browser), token: everyMs(idleTtlMs.token) };

  function touch(session: Session, nowMs: number): void {
    if (nowMs - session.lastSeenAtMs < touchEveryMs[session.kind]) return;
    uses[session.kind].add(session.id, nowMs, undefined);
  }

  function ofUser(
    session: Session,
    nowMs: number,
    credential: "access_token" | "session",
    claims?: UserTokenClaims,
  ): Awaitable<AuthOutcome> {
    return then(accounts.findById(session.userId), (account) => {
      if (account === undefined) return rejected(credential, "no such user", refusalCode(credential));
      if (account.disabled) return rejected(credential, "user is disabled", refusalCode(credential));
      // A password changed since ends whatever the old one had opened, at the instant it changes.
      if (session.authenticatedAtMs < account.passwordChangedAtMs) {
        return rejected(credential, "password has changed since", refusalCode(credential));
      }
      // A cookie is worth what its user was when it was handed out (ASVS V7.2.4); tokens change at each refresh.
      if (session.kind === "browser" && session.authenticatedAtMs < account.roleChangedAtMs) {
        return rejected(credential, "role has changed since", refusalCode(credential));
      }
      touch(session, nowMs);
      // Frozen, as the next request of the same token may be told the same.
      const principal = Object.freeze(principalOf(account, session, credential, claims));
      return Object.freeze({ kind: "authenticated", principal });
    });
  }

  function ofClaimedSession(
    claims: UserTokenClaims,
    session: Session | undefined,
    nowMs: number,
  ): Awaitable<AuthOutcome> {
    if (session === undefined || session.endedAtMs !== null) {
      return rejected("access_token", "session has ended", "token_revoked");
    }
    if (!isLive(session, nowMs)) return rejected("access_token", "session has expired", "token_expired");
    // A token names its user twice, by `sub` and by its session: they agree or it was not issued here.
    if (session.userId !== claims.sub) return rejected("access_token", "session belongs to another user");
    return ofUser(session, nowMs, "access_token", claims);
  }

  function ofSession(session: Session | undefined, nowMs: number): Awaitable<AuthOutcome> {
    if (session === undefined) return rejected("session", "unknown session", "unauthenticated");
    if (!isLive(session, nowMs)) return rejected("session", "session is over", "unauthenticated");
    return ofUser(session, nowMs, "session");
  }

  return {
    ofSession,
    async settle() {
      await Promise.all([uses.browser.settle(), uses.token.settle()]);
    },
    ofSessionId: (sessionId, nowMs) => then(sessions.findById(sessionId), (found) => ofSession(found, nowMs)),
    ofClaims(claims, nowMs) {
      const version = liveVersion();
      const known = version === undefined ? undefined : resolutions.get(claims);
      // What time alone changes is asked at each request: of the token by who verified it, of the session here.
      if (known !== undefined && known.version === version && isLive(known.session, nowMs)) {
        touch(known.session, nowMs);
        return known.outcome;
      }
      const revoked = revocations.isRevoked(claims.jti);
      // Thrown at once, an outage would leave the other's rejection to nobody, which ends the process.
      const session = isPending(revoked)
        ? Promise.try(() => sessions.findById(claims.sid))
        : sessions.findById(claims.sid);
      // Spelled out for the synchronous case: it is every request's way, and needs no closure.
      if (!isPending(revoked) && !isPending(session)) {
        if (revoked) return rejected("access_token", "token was revoked", "token_revoked");
        const outcome = ofClaimedSession(claims, session, nowMs);
        if (!isPending(outcome) && outcome.kind === "authenticated" && version !== undefined) {
          // All of it at once and unchanged since: a commit that came between has moved the version on.
          if (liveVersion() === version) resolutions.set(claims, { version, session: session!, outcome });
        }
        return outcome;
      }
      return Promise.all([revoked, session]).then(([isRevoked, found]) =>
        isRevoked
          ? rejected("access_token", "token was revoked", "token_revoked")
          : ofClaimedSession(claims, found, nowMs),
      );
    },
  };
}

function everyMs(idleTtlMs: number): number {
  return Math.min(TOUCH_EVERY_MS, idleTtlMs / TOUCHES_AN_IDLE_TIME);
}

/** Spelled out in three shapes: spreading what may be absent would cost each request more than the rest of this. */
function principalOf(
  account: Account,
  { id: sessionId, authenticatedAtMs, mfa }: Session,
  credential: "access_token" | "session",
  claims: UserTokenClaims | undefined,
): UserPrincipal {
  const user = Object.freeze(toUser(account));
  if (claims === undefined) return { kind: "user", user, credential, sessionId, authenticatedAtMs, mfa };
  const { jti: tokenId, scopes } = claims;
  return scopes === undefined
    ? { kind: "user", user, credential, sessionId, authenticatedAtMs, mfa, tokenId }
    : { kind: "user", user, credential, sessionId, authenticatedAtMs, mfa, tokenId, scopes };
}

/** A browser whose session is gone is simply not signed in; a token was shown by a program that should be told. */
function refusalCode(credential: "access_token" | "session"): "token_revoked" | "unauthenticated" {
  return credential === "access_token" ? "token_revoked" : "unauthenticated";
}
