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
  readonly nowMs: number;
  /** How long a used token still returns its successor (parallel tabs, lost replies). */
  readonly graceMs: number;
  readonly successorExpiresAtMs: number;
}

export type RotateOutcome =
  /** First use: the successor now stands in the store. */
  | { readonly kind: "rotated"; readonly sessionId: string; readonly userId: string }
  /** Used before, within the grace, by the same successor: nothing changed. */
  | { readonly kind: "repeated"; readonly sessionId: string; readonly userId: string }
  /** Used before, after the grace: the whole session has been ended, durably. */
  | { readonly kind: "reused"; readonly sessionId: string; readonly userId: string }
  | { readonly kind: "refused"; readonly cause: "unknown" | "expired" | "session_ended" };

/** The port of refresh tokens. `rotate` is one atomic step: of any number at once, one is `rotated`. */
export interface RefreshTokenStore {
  issue(token: RefreshToken): Promise<void>;
  rotate(request: RotateRequest): Promise<RotateOutcome>;
  /** The token's family, for revocation by its holder; `undefined` where it is unknown. */
  find(hash: string): Promise<RefreshToken | undefined>;
  purge(beforeMs: number): Promise<number>;
}
