import type { AccountStore } from "../../identity/accounts/account.ts";
import { toUser } from "../../identity/accounts/account.ts";
import type { ApiKey, ApiKeyStore } from "../../identity/api-keys/api-key.ts";
import type { ServiceTokenClaims } from "../../identity/tokens/access-tokens.ts";
import type { RevocationStore } from "../../identity/tokens/revocation.ts";
import type { AuthOutcome } from "../../kernel/authentication.ts";
import { rejected } from "../../kernel/authentication.ts";
import type { Awaitable } from "../../kernel/awaitable.ts";
import { then } from "../../kernel/awaitable.ts";
import type { LimitPolicy } from "../../kernel/limiter.ts";
import type { ServicePrincipal, User } from "../../kernel/principal.ts";
import { parseNamedLimit } from "../limit-policy.ts";

export interface LiveKeysOptions {
  readonly accounts: AccountStore;
  readonly apiKeys: ApiKeyStore;
  readonly revocations: RevocationStore;
}

/** Resolves an API key, or a token issued to one, to the program that it stands for now. */
export interface LiveKeys {
  /** The key itself has been verified; its owner, where it has one, must still be live. */
  ofKey(apiKey: ApiKey): Awaitable<AuthOutcome>;
  /** The token has been verified; its key and the key's owner must still be live (RFC 6749 section 4.4). */
  ofClaims(claims: ServiceTokenClaims, nowMs: number): Promise<AuthOutcome>;
}

export function createLiveKeys({ accounts, apiKeys, revocations }: LiveKeysOptions): LiveKeys {
  const limitsOf = new WeakMap<ApiKey, readonly LimitPolicy[]>();

  function limits(apiKey: ApiKey): readonly LimitPolicy[] {
    let policies = limitsOf.get(apiKey);
    if (policies === undefined) {
      policies = apiKey.rateLimits.map(parseNamedLimit).filter((policy) => policy !== undefined);
      limitsOf.set(apiKey, policies);
    }
    return policies;
  }

  function principalOf(apiKey: ApiKey, user: User, claims?: ServiceTokenClaims): ServicePrincipal {
    return {
      kind: "service",
      user,
      credential: claims === undefined ? "api_key" : "access_token",
      keyId: apiKey.id,
      keyName: apiKey.name,
      ...(apiKey.ownerId !== null && { ownerId: apiKey.ownerId }),
      scopes: claims?.scopes ?? apiKey.scopes,
      ...(apiKey.rateLimits.length > 0 && { limits: limits(apiKey) }),
      authenticatedAtMs: claims?.issuedAtMs ?? apiKey.createdAtMs,
    };
  }

  function resolve(apiKey: ApiKey, claims?: ServiceTokenClaims): Awaitable<AuthOutcome> {
    if (apiKey.ownerId === null) {
      return { kind: "authenticated", principal: principalOf(apiKey, standingForItself(apiKey), claims) };
    }
    return then(accounts.findById(apiKey.ownerId), (owner) =>
      owner === undefined || owner.disabled
        ? refused(claims, "owner is disabled or gone")
        : { kind: "authenticated", principal: principalOf(apiKey, toUser(owner), claims) },
    );
  }

  return {
    ofKey: (apiKey) => resolve(apiKey),
    async ofClaims(claims, nowMs) {
      if (await revocations.isRevoked(claims.jti)) return refused(claims, "token was revoked");
      const apiKey = await apiKeys.findById(claims.sub);
      if (apiKey === undefined || apiKey.revokedAtMs !== null) return refused(claims, "key is revoked");
      if (apiKey.expiresAtMs !== null && nowMs >= apiKey.expiresAtMs)
        return refused(claims, "key has expired");
      return resolve(apiKey, claims);
    },
  };
}

function refused(claims: ServiceTokenClaims | undefined, cause: string): AuthOutcome {
  return claims === undefined
    ? rejected("api_key", cause, "unauthenticated")
    : rejected("access_token", cause, "token_revoked");
}

/** A key without an owner has a user's rights and its own name. */
function standingForItself(apiKey: ApiKey): User {
  return { id: apiKey.id, username: apiKey.name, email: null, role: "user" };
}
