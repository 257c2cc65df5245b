import type { AccountStore } from "../../identity/accounts/account.ts";
import type { ApiKeyStore } from "../../identity/api-keys/api-key.ts";
import type { AuditStore } from "../../identity/audit/audit-store.ts";
import type { Count, StatisticsQuery, StatisticsStore } from "../../identity/statistics/statistics-store.ts";
import type { EventName } from "../../kernel/audit-event.ts";
import { ROLES } from "../../kernel/principal.ts";
import type { MemorySessionStore } from "./session-store.ts";

export interface CountedStores {
  readonly accounts: AccountStore;
  readonly sessions: MemorySessionStore;
  readonly apiKeys: ApiKeyStore;
  readonly audit: AuditStore;
}

/** Statistics of stores in memory. */
export function createMemoryStatisticsStore(stores: CountedStores): StatisticsStore {
  const { accounts, sessions, apiKeys, audit } = stores;

  async function signIns(type: EventName, query: StatisticsQuery): Promise<Count> {
    const entries = await audit.list({ type, fromMs: query.signInsSinceMs, limit: query.mostRows });
    const value = entries.reduce((sum, { count }) => sum + count, 0);
    return { value, isPartial: entries.length === query.mostRows };
  }

  return {
    async read(query) {
      const { nowMs, keysExpiringUntilMs, mostRows } = query;
      const people = await accounts.list({ limit: mostRows });
      const idle = [...sessions.all()].filter(({ idleExpiresAtMs }) => idleExpiresAtMs > nowMs);
      const latest = idle.slice(-mostRows);
      const keys = await apiKeys.list({ limit: mostRows });
      const live = keys.filter(
        ({ revokedAtMs, expiresAtMs }) =>
          revokedAtMs === null && (expiresAtMs === null || expiresAtMs > nowMs),
      );
      const expiring = live.filter(
        ({ expiresAtMs }) => expiresAtMs !== null && expiresAtMs <= keysExpiringUntilMs,
      );
      const isPartial = keys.length === mostRows;
      return {
        users: ROLES.map((role) => {
          const those = people.filter((account) => account.role === role);
          const disabled = those.filter((account) => account.disabled).length;
          return { role, total: those.length, disabled, isPartial: people.length === mostRows };
        }),
        liveSessions: {
          value: latest.filter((session) => session.endedAtMs === null && session.expiresAtMs > nowMs).length,
          isPartial: latest.length === mostRows,
        },
        liveKeys: { value: live.length, isPartial },
        expiringKeys: { value: expiring.length, isPartial },
        signInsSucceeded: await signIns("auth.login.succeeded", query),
        signInsFailed: await signIns("auth.login.failed", query),
      };
    },
  };
}
