import type { AccountStore } from "../../identity/accounts/account.ts";
import type { LockoutStore } from "../../identity/accounts/lockout.ts";
import type { ApiKeyStore } from "../../identity/api-keys/api-key.ts";
import type { AuditStore } from "../../identity/audit/audit-store.ts";
import type { ChallengeStore } from "../../identity/factors/challenge.ts";
import type { FactorStore } from "../../identity/factors/factor.ts";
import type { OverrideStore } from "../../identity/settings/override-store.ts";
import type { StatisticsStore } from "../../identity/statistics/statistics-store.ts";
import type { RefreshTokenStore } from "../../identity/tokens/refresh-token.ts";
import type { RevocationStore } from "../../identity/tokens/revocation.ts";
import { createMemoryAccountStore } from "./account-store.ts";
import { createMemoryApiKeyStore } from "./api-key-store.ts";
import { createMemoryAuditStore } from "./audit-store.ts";
import { createMemoryChallengeStore } from "./challenge-store.ts";
import { createMemoryFactorStore } from "./factor-store.ts";
import { createMemoryLockoutStore } from "./lockout-store.ts";
import { createMemoryOverrideStore } from "./override-store.ts";
import { createMemoryRefreshTokenStore } from "./refresh-token-store.ts";
import { createMemoryRevocationStore } from "./revocation-store.ts";
import type { MemorySessionStore } from "./session-store.ts";
import { createMemorySessionStore } from "./session-store.ts";
import { createMemoryStatisticsStore } from "./statistics-store.ts";

export interface MemoryStores {
  readonly accounts: AccountStore;
  readonly sessions: MemorySessionStore;
  readonly refreshTokens: RefreshTokenStore;
  readonly revocations: RevocationStore;
  readonly apiKeys: ApiKeyStore;
  readonly lockouts: LockoutStore;
  readonly factors: FactorStore;
  readonly challenges: ChallengeStore;
  readonly audit: AuditStore;
  readonly settings: OverrideStore;
  readonly statistics: StatisticsStore;
}

/** Stores in memory, gone with the process: the library's default, and for tests. */
export function createMemoryStores(): MemoryStores {
  const sessions = createMemorySessionStore();
  const accounts = createMemoryAccountStore();
  const apiKeys = createMemoryApiKeyStore();
  const audit = createMemoryAuditStore();
  return {
    accounts,
    sessions,
    refreshTokens: createMemoryRefreshTokenStore(sessions),
    revocations: createMemoryRevocationStore(),
    apiKeys,
    lockouts: createMemoryLockoutStore(),
    factors: createMemoryFactorStore(),
    challenges: createMemoryChallengeStore(),
    audit,
    settings: createMemoryOverrideStore(),
    statistics: createMemoryStatisticsStore({ accounts, sessions, apiKeys, audit }),
  };
}
