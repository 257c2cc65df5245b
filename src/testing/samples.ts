import type { Account } from "../identity/accounts/account.ts";
import type { ApiKey } from "../identity/api-keys/api-key.ts";
import type { Session } from "../identity/sessions/session.ts";
import type { RefreshToken } from "../identity/tokens/refresh-token.ts";

/** The instant around which samples live (ms since the epoch). */
export const SAMPLE_NOW_MS = 1_700_000_000_123;
const HOUR_MS = 3_600_000;

/** The `n`th sample's id: a UUIDv7 in form, in order of `n`. */
export function sampleId(n: number): string {
  return `018bcfe5-687b-7000-8000-${n.toString(16).padStart(12, "0")}`;
}

/** A text of the form of a SHA-256 in base64url. */
export function sampleHash(text: string): string {
  return text.padEnd(43, "_");
}

export function sampleAccount(n: number, parts: Partial<Account> = {}): Account {
  return {
    id: sampleId(n),
    username: `User${n}`,
    usernameKey: `user${n}`,
    email: `user${n}@example.org`,
    role: "user",
    disabled: false,
    passwordHash: `hash${n}`,
    createdAtMs: SAMPLE_NOW_MS,
    lastLoginAtMs: null,
    passwordChangedAtMs: SAMPLE_NOW_MS,
    roleChangedAtMs: SAMPLE_NOW_MS,
    ...parts,
  };
}

/** A browser session that is live at `SAMPLE_NOW_MS`, for one hour unless seen and two in all. */
export function sampleSession(n: number, parts: Partial<Session> = {}): Session {
  return {
    id: sampleId(n),
    userId: sampleId(0),
    kind: "browser",
    secretHash: sampleHash(`secret${n}`),
    userAgent: "Mozilla/5.0",
    address: "192.0.2.1",
    createdAtMs: SAMPLE_NOW_MS,
    lastSeenAtMs: SAMPLE_NOW_MS,
    authenticatedAtMs: SAMPLE_NOW_MS,
    mfa: false,
    expiresAtMs: SAMPLE_NOW_MS + 2 * HOUR_MS,
    idleExpiresAtMs: SAMPLE_NOW_MS + HOUR_MS,
    endedAtMs: null,
    ...parts,
  };
}

/** A refresh token of session 1 that is good for one hour from `SAMPLE_NOW_MS`. */
export function sampleRefreshToken(hash: string, parts: Partial<RefreshToken> = {}): RefreshToken {
  return {
    hash: sampleHash(hash),
    sessionId: sampleId(1),
    userId: sampleId(0),
    issuedAtMs: SAMPLE_NOW_MS,
    expiresAtMs: SAMPLE_NOW_MS + HOUR_MS,
    usedAtMs: null,
    successorHash: null,
    ...parts,
  };
}

export function sampleApiKey(n: number, parts: Partial<ApiKey> = {}): ApiKey {
  return {
    id: sampleId(n),
    publicId: `public${n}`,
    secretHash: sampleHash(`key${n}`),
    previousSecretHash: null,
    previousExpiresAtMs: null,
    name: `key ${n}`,
    ownerId: sampleId(0),
    scopes: [],
    addressRanges: [],
    rateLimits: [],
    createdAtMs: SAMPLE_NOW_MS,
    expiresAtMs: null,
    revokedAtMs: null,
    lastUsedAtMs: null,
    ...parts,
  };
}
