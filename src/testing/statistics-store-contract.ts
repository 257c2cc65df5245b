import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AccountStore } from "../identity/accounts/account.ts";
import type { ApiKeyStore } from "../identity/api-keys/api-key.ts";
import type { AuditStore } from "../identity/audit/audit-store.ts";
import type { SessionStore } from "../identity/sessions/session.ts";
import type { StatisticsStore } from "../identity/statistics/statistics-store.ts";
import { appendRecords, sampleRecord } from "./audit-samples.ts";
import { SAMPLE_NOW_MS as NOW_MS, sampleAccount, sampleApiKey, sampleSession } from "./samples.ts";
import { withOpened } from "./with-opened.ts";

/** Fresh, empty stores each time, and how to be rid of them. */
export type OpenStatistics = () => Promise<{
  readonly statistics: StatisticsStore;
  readonly accounts: AccountStore;
  readonly sessions: SessionStore;
  readonly apiKeys: ApiKeyStore;
  readonly audit: AuditStore;
  close(): Promise<void>;
}>;

const DAY_MS = 86_400_000;
const QUERY = {
  nowMs: NOW_MS,
  keysExpiringUntilMs: NOW_MS + 14 * DAY_MS,
  signInsSinceMs: NOW_MS - DAY_MS,
  mostRows: 100,
};

/** Registers the cases that every `StatisticsStore` has to pass. */
export function statisticsStoreContract(open: OpenStatistics): void {
  const withStores = withOpened(open);
  const whole = (value: number) => ({ value, isPartial: false });

  describe("a store of statistics", () => {
    it("counts what is live, and nothing that is over", () =>
      withStores(async ({ statistics, accounts, sessions, apiKeys, audit }) => {
        await accounts.create(sampleAccount(1, { role: "admin" }));
        await accounts.create(sampleAccount(2));
        await accounts.create(sampleAccount(3, { disabled: true }));
        const ended = { endedAtMs: NOW_MS };
        const idle = { idleExpiresAtMs: NOW_MS };
        const over = { expiresAtMs: NOW_MS };
        const lives = [{}, {}, ended, idle, over];
        for (const [n, parts] of lives.entries()) await sessions.start(sampleSession(n + 1, parts));
        const keys = [
          {},
          { revokedAtMs: NOW_MS },
          { expiresAtMs: NOW_MS },
          { expiresAtMs: NOW_MS + DAY_MS },
          { expiresAtMs: NOW_MS + 90 * DAY_MS },
        ];
        for (const [n, parts] of keys.entries()) await apiKeys.create(sampleApiKey(n + 1, parts));
        await appendRecords(audit, [
          sampleRecord(1),
          sampleRecord(2, { atMs: NOW_MS - DAY_MS - 1 }),
          sampleRecord(3, { type: "auth.login.failed" }),
          sampleRecord(4, { type: "auth.login.failed", count: 40 }),
          sampleRecord(5, { type: "auth.logout" }),
        ]);
        assert.deepEqual(await statistics.read(QUERY), {
          users: [
            { role: "user", total: 2, disabled: 1, isPartial: false },
            { role: "moderator", total: 0, disabled: 0, isPartial: false },
            { role: "admin", total: 1, disabled: 0, isPartial: false },
          ],
          liveSessions: whole(2),
          liveKeys: whole(3),
          expiringKeys: whole(1),
          signInsSucceeded: whole(1),
          signInsFailed: whole(41),
        });
      }));

    it("stops at the most it may look at, and says so", () =>
      withStores(async ({ statistics, accounts, sessions, apiKeys, audit }) => {
        for (let n = 1; n <= 4; n += 1) {
          await accounts.create(sampleAccount(n));
          await sessions.start(sampleSession(n));
          await apiKeys.create(sampleApiKey(n));
        }
        await appendRecords(
          audit,
          [1, 2, 3, 4].map((n) => sampleRecord(n)),
        );
        const found = await statistics.read({ ...QUERY, mostRows: 3 });
        const partial = { value: 3, isPartial: true };
        assert.deepEqual(found.users[0], { role: "user", total: 3, disabled: 0, isPartial: true });
        assert.deepEqual(found.liveSessions, partial);
        assert.deepEqual(found.liveKeys, partial);
        assert.deepEqual(found.expiringKeys, { value: 0, isPartial: true });
        assert.deepEqual(found.signInsSucceeded, partial);
        assert.deepEqual(found.signInsFailed, whole(0));
      }));
  });
}
