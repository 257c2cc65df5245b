import type { Keyring } from "../crypto/keyring.ts";
import type { Passwords } from "../crypto/password.ts";
import type { Accounts } from "../identity/accounts/accounts.ts";
import { createAccounts } from "../identity/accounts/accounts.ts";
import { createLockouts } from "../identity/accounts/lockouts.ts";
import type { ApiKeys, StaticKey } from "../identity/api-keys/api-keys.ts";
import { createApiKeys } from "../identity/api-keys/api-keys.ts";
import type { Sessions } from "../identity/sessions/sessions.ts";
import { createSessions } from "../identity/sessions/sessions.ts";
import type { RefreshTokens } from "../identity/tokens/refresh-tokens.ts";
import { createRefreshTokens } from "../identity/tokens/refresh-tokens.ts";
import type { EventSink } from "../kernel/audit-event.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";
import type { Stores } from "../stores/open.ts";

/** The stores of credentials and of whom they stand for. */
export type IdentityStores = Pick<
  Stores,
  "accounts" | "sessions" | "refreshTokens" | "revocations" | "apiKeys" | "lockouts"
>;

export interface IdentityParts {
  readonly keyring: Keyring;
  readonly stores: IdentityStores;
  readonly passwords: Passwords;
  readonly staticKeys: readonly StaticKey[];
  readonly ttlMs: {
    readonly refreshToken: number;
    readonly sessionIdle: number;
    readonly sessionMax: number;
  };
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventSink;
}

/** Credentials and their lives. */
export interface Identity {
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly refreshTokens: RefreshTokens;
  readonly apiKeys: ApiKeys;
}

/** How long a used refresh token still answers with its successor (ms): parallel tabs, and replies that got lost. */
const REFRESH_GRACE_MS = 10_000;

/** Wires the domain to its stores: for the service, the library and the command line alike. */
export function composeIdentity(parts: IdentityParts): Identity {
  const { stores, random, events, ttlMs } = parts;
  const sessions = createSessions({
    store: stores.sessions,
    random,
    events,
    maxTtlMs: ttlMs.sessionMax,
    idleTtlMs: idleTtlMs(ttlMs),
  });
  return {
    sessions,
    accounts: createAccounts({
      clock: parts.clock,
      store: stores.accounts,
      sessions,
      lockouts: createLockouts({
        store: stores.lockouts,
        key: parts.keyring.derive("kyros/lockout", 32),
      }),
      passwords: parts.passwords,
      random,
      events,
    }),
    refreshTokens: createRefreshTokens({
      store: stores.refreshTokens,
      random,
      events,
      keys: parts.keyring.deriveAll("kyros/refresh-token", 32),
      ttlMs: ttlMs.refreshToken,
      graceMs: REFRESH_GRACE_MS,
    }),
    apiKeys: createApiKeys({ store: stores.apiKeys, random, events, staticKeys: parts.staticKeys }),
  };
}

/** A browser's session ends unused after the idle time; a program's, when its last refresh token has expired. */
export function idleTtlMs(ttlMs: IdentityParts["ttlMs"]): { browser: number; token: number } {
  return { browser: ttlMs.sessionIdle, token: ttlMs.refreshToken };
}
