import type { Role } from "../../kernel/principal.ts";
import { ROLES } from "../../kernel/principal.ts";

interface TokenClaims {
  /** What revocation and audit go by. */
  readonly jti: string;
  readonly issuedAtMs: number;
  /** Before this instant the token is not valid yet. */
  readonly notBeforeMs: number;
  /** From this instant on the token has expired. */
  readonly expiresAtMs: number;
}

/** A person's token: who, in which session, as what. */
export interface UserTokenClaims extends TokenClaims {
  readonly kind: "user";
  /** The user's id. */
  readonly sub: string;
  /** The session's id. */
  readonly sid: string;
  readonly role: Role;
  /** Absent: everything the role allows. Present: nothing beyond these. */
  readonly scopes?: readonly string[];
}

/** A program's token, issued to an API key (RFC 6749 section 4.4). */
export interface ServiceTokenClaims extends TokenClaims {
  readonly kind: "service";
  /** The API key's id. */
  readonly sub: string;
  readonly sid?: undefined;
  readonly scopes: readonly string[];
}

export type AccessTokenClaims = UserTokenClaims | ServiceTokenClaims;

/** How far in the future `iat` may lie: what two machines' clocks may differ by. */
const CLOCK_SKEW_MS = 60_000;
const MAX_ID_LENGTH = 64;
const MAX_AUDIENCES = 16;
/** The last instant a `Date` can hold, in seconds. */
const MAX_NUMERIC_DATE = 8_640_000_000_000;

/**
 * Reads the claims of a verified payload, frozen; or says which is missing or wrong, for the log alone. Instants are
 * read and not judged: that depends on when the token is shown (RFC 7519 section 4.1, RFC 9068 section 2.2).
 */
export function readClaims(payload: unknown, issuer: string, audience: string): AccessTokenClaims | string {
  if (typeof payload !== "object" || payload === null || Array.isArray(payload))
    return "payload is no object";
  const { iss, aud, sub, iat, exp, nbf, jti, sid, role, scope, client_id } = payload as Record<
    string,
    unknown
  >;
  if (iss !== issuer) return "wrong iss";
  if (!isForAudience(aud, audience)) return "wrong aud";
  if (!isNumericDate(exp)) return "missing or wrong exp";
  if (!isNumericDate(iat)) return "missing or wrong iat";
  if (nbf !== undefined && !isNumericDate(nbf)) return "wrong nbf";
  if (!isId(jti)) return "missing or wrong jti";
  if (!isId(sub)) return "missing or wrong sub";
  const scopes = scope === undefined ? undefined : readScopes(scope);
  if (scope !== undefined && scopes === undefined) return "wrong scope";
  const times = {
    jti,
    issuedAtMs: iat * 1000,
    notBeforeMs: Math.max(iat * 1000 - CLOCK_SKEW_MS, (nbf ?? 0) * 1000),
    expiresAtMs: exp * 1000,
  };
  if (client_id !== undefined) {
    if (client_id !== sub) return "wrong client_id";
    if (sid !== undefined || role !== undefined) return "both a user's and a service's";
    return Object.freeze({ kind: "service", sub, scopes: scopes ?? NO_SCOPES, ...times });
  }
  if (!isId(sid)) return "missing or wrong sid";
  if (!isRole(role)) return "missing or wrong role";
  const user = { kind: "user", sub, sid, role, ...times } as const;
  return Object.freeze(scopes === undefined ? user : { ...user, scopes });
}

/** Whether an identifier can stand in a token: some text of at most 64 characters. */
export function isId(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= MAX_ID_LENGTH;
}

/** The `scope` claim of some scopes; `undefined` where one is no scope-token (RFC 6749 section 3.3). */
export function writeScopes(scopes: readonly string[]): string | undefined {
  return scopes.every(isScopeToken) ? scopes.join(" ") : undefined;
}

const NO_SCOPES: readonly string[] = Object.freeze([]);

function readScopes(scope: unknown): readonly string[] | undefined {
  if (typeof scope !== "string") return undefined;
  if (scope === "") return NO_SCOPES;
  const scopes = scope.split(" ");
  return scopes.every(isScopeToken) ? Object.freeze(scopes) : undefined;
}

/** Printable ASCII but for the space, the quote and the backslash. */
function isScopeToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f || code === 0x22 || code === 0x5c) return false;
  }
  return text.length > 0;
}

/** One audience or some (RFC 7519 section 4.1.3), compared as whole texts. */
export function isForAudience(aud: unknown, audience: string): boolean {
  if (typeof aud === "string") return aud === audience;
  return Array.isArray(aud) && aud.length <= MAX_AUDIENCES && aud.includes(audience);
}

function isNumericDate(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= MAX_NUMERIC_DATE;
}

function isRole(value: unknown): value is Role {
  return (ROLES as readonly unknown[]).includes(value);
}
