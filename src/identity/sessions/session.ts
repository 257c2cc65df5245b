import type { Awaitable } from "../../kernel/awaitable.ts";

/**
 * One sign-in and everything issued under it. A `browser` session is carried by a cookie; a `token` session by access
 * and refresh tokens whose `sid` it is. Ending it ends them all.
 */
export interface Session {
  readonly id: string;
  readonly userId: string;
  readonly kind: "browser" | "token";
  /** SHA-256 of the cookie's value, base64url; `null` for a token session. The value itself is never stored. */
  readonly secretHash: string | null;
  readonly userAgent: string | null;
  readonly address: string;
  readonly createdAtMs: number;
  readonly lastSeenAtMs: number;
  /** When a primary credential was last proved in it. */
  readonly authenticatedAtMs: number;
  /** Whether a second factor was proved in it too, or a passkey that is two in one. */
  readonly mfa: boolean;
  /** Absolute end, however busy. */
  readonly expiresAtMs: number;
  /** End unless seen again; moved by `touch`. */
  readonly idleExpiresAtMs: number;
  readonly endedAtMs: number | null;
}

/** Whether a session still carries credentials at `nowMs`; both limits are ends, not grace (ASVS V7.3.1, V7.3.2). */
export function isLive(session: Session, nowMs: number): boolean {
  return session.endedAtMs === null && nowMs < session.expiresAtMs && nowMs < session.idleExpiresAtMs;
}

/** The part of a list that is read: at most `limit`, beginning behind `afterId`. */
export interface SessionPage {
  readonly limit: number;
  readonly afterId?: string;
}

/** The port of sessions. What is found is live: as of the last commit, by whichever process. */
export interface SessionStore {
  start(session: Session): Promise<void>;
  findById(id: string): Awaitable<Session | undefined>;
  findBySecretHash(secretHash: string): Awaitable<Session | undefined>;
  /** Live sessions of a user, newest first, which is the order of their ids backwards; all, or one page of them. */
  listLive(userId: string, nowMs: number, page?: SessionPage): Promise<readonly Session[]>;
  /** Moves those that are live at `lastSeenAtMs` forward, never back; nothing revives one that is not. */
  touch(ids: readonly string[], lastSeenAtMs: number, idleExpiresAtMs: number): Promise<void>;
  /**
   * Notes that a primary credential was proved again, and sets a new secret in place of the current one (both `null`
   * for a token session): only while that still is the current one and the session has not ended; else `false`.
   * Whether a second factor was proved stays as it is unless told.
   */
  reauthenticate(
    id: string,
    currentHash: string | null,
    newHash: string | null,
    authenticatedAtMs: number,
    mfa?: boolean,
  ): Promise<boolean>;
  /** Durable before it resolves. `false` where it had ended already or is not that user's. */
  end(id: string, userId: string, nowMs: number): Promise<boolean>;
  /**
   * Ends all of a user's sessions but one; resolves to the ids that ended, durable before that. Expired ones are ended
   * with them, so that no instance whose clock runs late takes one for live.
   */
  endAll(userId: string, nowMs: number, exceptId?: string): Promise<readonly string[]>;
  /** Removes rows that ended or expired before the instant; returns how many. */
  purge(beforeMs: number): Promise<number>;
}
