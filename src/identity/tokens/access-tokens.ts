import type { JwkSet } from "../../crypto/jws.ts";
import { createJws, MAX_TOKEN_LENGTH } from "../../crypto/jws.ts";
import type { JwsAlgorithm } from "../../crypto/jws-key.ts";
import { deriveJwsKeys } from "../../crypto/jws-key.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import { Refusal } from "../../kernel/failure.ts";
import type { Role } from "../../kernel/principal.ts";
import { problem } from "../../kernel/problem.ts";
import type { Random } from "../../kernel/random.ts";
import { systemRandom, uuidv7 } from "../../kernel/random.ts";
import { JsonFault, parseStrictJson } from "../../kernel/strict-json.ts";
import { createVerifiedCache } from "../verified-cache.ts";
import type { AccessTokenClaims } from "./access-token-claims.ts";
import { isId, readClaims, writeScopes } from "./access-token-claims.ts";

export type { AccessTokenClaims, ServiceTokenClaims, UserTokenClaims } from "./access-token-claims.ts";

export interface AccessTokenOptions {
  readonly keyring: Keyring;
  /** `HS512` unless told. */
  readonly algorithm?: JwsAlgorithm;
  readonly issuer: string;
  readonly audience: string;
  readonly ttlMs: number;
  readonly random?: Random;
  /** How many verified tokens are remembered; 10,000 unless told, 0 for none. */
  readonly cacheSize?: number;
}

export interface TokenSubject {
  readonly userId: string;
  readonly sessionId: string;
  readonly role: Role;
  /** Absent: everything the role allows. Present, even if empty: nothing beyond these. */
  readonly scopes?: readonly string[];
  readonly nowMs: number;
}

export interface ServiceTokenSubject {
  readonly keyId: string;
  readonly scopes: readonly string[];
  readonly nowMs: number;
}

export interface IssuedToken {
  readonly token: string;
  readonly tokenId: string;
  readonly expiresAtMs: number;
}

export type TokenOutcome =
  | { readonly kind: "valid"; readonly claims: AccessTokenClaims }
  /** `cause` is for the log alone. */
  | { readonly kind: "invalid"; readonly cause: string }
  | { readonly kind: "expired" };

/** Access tokens: JWTs of the type `at+jwt` (RFC 9068). */
export interface AccessTokens {
  /** A token for a person. Throws `Refusal` where a scope cannot stand in one, or there are too many. */
  issue(subject: TokenSubject): IssuedToken;
  /** A token for a program, by its API key (RFC 6749 section 4.4). Throws as `issue` does. */
  issueService(subject: ServiceTokenSubject): IssuedToken;
  /**
   * What a token says, if it is one of ours, for us, and neither expired nor from the future (ASVS V9.1, V9.2).
   * It knows nothing of revocation, of the session's end or of the user's state: the caller checks those at each
   * request, also where the outcome comes from the cache.
   */
  verify(token: string, nowMs: number): TokenOutcome;
  /** The public keys that verify our tokens; none with HS512. */
  publicJwks(): JwkSet;
}

const KEY_PURPOSE = "kyros/access-token";
const TOKEN_TYPE = "at+jwt";
const DEFAULT_CACHE_SIZE = 10_000;

const EXPIRED: TokenOutcome = Object.freeze({ kind: "expired" });
const NOT_YET: TokenOutcome = Object.freeze({ kind: "invalid", cause: "not valid yet" });

type Valid = Extract<TokenOutcome, { kind: "valid" }>;

/** Issues and verifies access tokens under the keys of a keyring. */
export function createAccessTokens(options: AccessTokenOptions): AccessTokens {
  const { issuer, audience, ttlMs, random = systemRandom } = options;
  const jws = createJws(
    deriveJwsKeys(options.keyring, KEY_PURPOSE, options.algorithm ?? "HS512"),
    TOKEN_TYPE,
  );
  const cache = createVerifiedCache<Valid>(options.cacheSize ?? DEFAULT_CACHE_SIZE);

  function sign(claims: Readonly<Record<string, unknown>>, nowMs: number): IssuedToken {
    const tokenId = uuidv7(nowMs, random);
    const iat = Math.floor(nowMs / 1000);
    const exp = Math.floor((nowMs + ttlMs) / 1000);
    const token = jws.sign(JSON.stringify({ iss: issuer, aud: audience, iat, exp, jti: tokenId, ...claims }));
    if (token.length > MAX_TOKEN_LENGTH) throw scopeRefusal("There are too many scopes for one token");
    return { token, tokenId, expiresAtMs: exp * 1000 };
  }

  function readVerified(payload: string): Valid | string {
    try {
      const claims = readClaims(parseStrictJson(payload), issuer, audience);
      return typeof claims === "string" ? claims : Object.freeze({ kind: "valid", claims });
    } catch (error) {
      if (error instanceof JsonFault) return `payload: ${error.message}`;
      throw error;
    }
  }

  return {
    issue({ userId, sessionId, role, scopes, nowMs }) {
      requireId(userId);
      requireId(sessionId);
      const claims = { sub: userId, sid: sessionId, role };
      return sign(scopes === undefined ? claims : { ...claims, scope: scopeClaim(scopes) }, nowMs);
    },

    issueService({ keyId, scopes, nowMs }) {
      requireId(keyId);
      return sign({ sub: keyId, client_id: keyId, scope: scopeClaim(scopes) }, nowMs);
    },

    verify(token, nowMs) {
      if (token.length > MAX_TOKEN_LENGTH) return { kind: "invalid", cause: "too long" };
      const known = cache.get(token);
      if (known !== undefined) return judge(known, nowMs);
      const outcome = jws.verify(token);
      if (outcome.kind === "refused") return { kind: "invalid", cause: outcome.cause };
      const verified = readVerified(outcome.payload);
      if (typeof verified === "string") return { kind: "invalid", cause: verified };
      const judged = judge(verified, nowMs);
      if (judged === verified) cache.set(token, verified);
      return judged;
    },

    publicJwks: () => jws.publicJwks(),
  };
}

/** Whether a token that is ours is valid at this instant: asked again at every hit. */
function judge(verified: Valid, nowMs: number): TokenOutcome {
  if (nowMs >= verified.claims.expiresAtMs) return EXPIRED;
  return nowMs < verified.claims.notBeforeMs ? NOT_YET : verified;
}

function scopeClaim(scopes: readonly string[]): string {
  const claim = writeScopes(scopes);
  if (claim === undefined) {
    throw scopeRefusal("A scope is printable ASCII without spaces, quotes and backslashes");
  }
  return claim;
}

function scopeRefusal(message: string): Refusal {
  return new Refusal(problem("validation_failed", message, { errors: [{ field: "scopes", message }] }));
}

function requireId(id: string): void {
  if (!isId(id)) throw new TypeError("a token's subject and session need an id of 1 to 64 characters");
}
