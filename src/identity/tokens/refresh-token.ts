import type { Session } from "../sessions/session.ts";
import { isLive } from "../sessions/session.ts";

/** A refresh token at rest: its hash, its family (the session) and its place in it (RFC 9700 section 4.14.2). */
export interface RefreshToken {
  /** SHA-256 of the token, base64url. */
  readonly hash: string;
  readonly sessionId: string;
  readonly userId: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly usedAtMs: number | null;
  readonly successorHash: string | null;
}

export interface RotateRequest {
  readonly hash: string;
  readonly successorHash: string;
  /** What a first use may have put there under a former key, or another instance's: as good as `successorHash`. */
  readonly otherSuccessorHashes?: readonly string[];
  readonly nowMs: number;
  /** How long a used token still returns its successor (parallel tabs, lost replies). */
  readonly graceMs: number;
  readonly successorExpiresAtMs: number;
}

export type RotateOutcome =
  /** First use: the successor now stands in the store. */
  | { readonly kind: "rotated"; readonly sessionId: string; readonly userId: string }
  /** Used before, within the grace, by a successor of the request that is unused itself: nothing changed. */
  | { readonly kind: "repeated"; readonly sessionId: string; readonly userId: string }
  /** Used before, after the grace, for another successor or for one that is used too: the whole session has been ended, durably. */
  | { readonly kind: "reused"; readonly sessionId: string; readonly userId: string }
  | { readonly kind: "refused"; readonly cause: "unknown" | "expired" | "session_ended" };

/** The port of refresh tokens. `rotate` is one atomic step: of any number at once, one is `rotated`. */
export interface RefreshTokenStore {
  issue(token: RefreshToken): Promise<void>;
  rotate(request: RotateRequest): Promise<RotateOutcome>;
  /** The token's family, for revocation by its holder; `undefined` where it is unknown. */
  find(hash: string): Promise<RefreshToken | undefined>;
  /**
   * Removes tokens that expired before the instant; returns how many. A used one stays while its session may live, so
   * that a thief's session ends even where the rightful holder comes back late. A purged session takes its tokens along.
   */
  purge(beforeMs: number): Promise<number>;
}

/**
 * What a rotation comes to, given the token, its session and the token that took its place, where there is one, as they
 * stand in one atomic step; the store then does what the outcome says. Reuse is judged before expiry: a used token gives
 * a theft away however old it is. Whoever has gone on to the successor needs no other token.
 */
export function judgeRotation(
  token: RefreshToken | undefined,
  session: Session | undefined,
  successor: RefreshToken | undefined,
  request: RotateRequest,
): RotateOutcome {
  if (token === undefined || session === undefined) return { kind: "refused", cause: "unknown" };
  const { sessionId, userId } = token;
  if (!isLive(session, request.nowMs)) return { kind: "refused", cause: "session_ended" };
  if (token.usedAtMs !== null) {
    const inGrace = request.nowMs < token.usedAtMs + request.graceMs;
    const isLatest = successor !== undefined && successor.usedAtMs === null;
    if (!inGrace || !isLatest || !isSuccessor(token.successorHash, request))
      return { kind: "reused", sessionId, userId };
  }
  if (request.nowMs >= token.expiresAtMs) return { kind: "refused", cause: "expired" };
  return { kind: token.usedAtMs === null ? "rotated" : "repeated", sessionId, userId };
}

function isSuccessor(
  hash: string | null,
  { successorHash, otherSuccessorHashes = [] }: RotateRequest,
): boolean {
  return hash === successorHash || (hash !== null && otherSuccessorHashes.includes(hash));
}

/** The token that a rotation puts in place of `hash`. */
export function successorOf(
  family: { readonly sessionId: string; readonly userId: string },
  request: RotateRequest,
): RefreshToken {
  return {
    hash: request.successorHash,
    sessionId: family.sessionId,
    userId: family.userId,
    issuedAtMs: request.nowMs,
    expiresAtMs: request.successorExpiresAtMs,
    usedAtMs: null,
    successorHash: null,
  };
}
