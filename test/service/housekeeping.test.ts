import assert from "node:assert/strict";
import { it, mock } from "node:test";
import { startHousekeeping } from "../../src/service/housekeeping.ts";
import { createMemoryStores } from "../../src/stores/memory/memory-stores.ts";
import { appendRecords, sampleRecord } from "../../src/testing/audit-samples.ts";
import { manualClock } from "../../src/testing/index.ts";
import { signer } from "../audit/chains.ts";

const NOW_MS = 1_800_000_000_000;
const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;

it("housekeeping removes each kind of row that is over, once an hour until it is stopped", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const stores = createMemoryStores();
  const ports = ["refreshTokens", "sessions", "revocations", "lockouts", "challenges"] as const;
  const purges = ports.map((port) => mock.method(stores[port], "purge"));
  const calls = () => purges.map((purge) => purge.mock.calls.map(({ arguments: [beforeMs] }) => beforeMs));
  const resealAll = mock.fn(async () => ({ resealed: 1, unopened: 0 }));
  const failures: unknown[] = [];
  const { stop } = startHousekeeping({
    stores,
    totpSecrets: { resealAll },
    signer,
    auditRetentionMs: WEEK_MS,
    clock: manualClock(NOW_MS),
    onFailure: (error) => void failures.push(error),
  });
  await appendRecords(
    stores.audit,
    [NOW_MS - WEEK_MS - 1, NOW_MS].map((atMs) => sampleRecord(0, { atMs })),
  );
  t.mock.timers.tick(HOUR_MS);
  await new Promise(setImmediate);
  assert.deepEqual(calls(), [[NOW_MS - WEEK_MS], [NOW_MS - WEEK_MS], [NOW_MS], [NOW_MS], [NOW_MS]]);
  assert.equal(resealAll.mock.callCount(), 1);
  stop();
  t.mock.timers.tick(2 * HOUR_MS);
  await new Promise(setImmediate);
  assert.equal(calls().flat().length, ports.length);
  assert.deepEqual(
    (await stores.audit.entriesAfter(0, 10)).map(({ seq }) => seq),
    [2],
  );
  assert.deepEqual(failures, []);
});

it("housekeeping says how many TOTP factors do not open, once for each number of them", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const failures: string[] = [];
  const counts = [2, 2, 0, 2, 3];
  const { stop } = startHousekeeping({
    stores: createMemoryStores(),
    totpSecrets: { resealAll: async () => ({ resealed: 0, unopened: counts.shift()! }) },
    signer,
    auditRetentionMs: undefined,
    clock: manualClock(NOW_MS),
    onFailure: (error) => void failures.push((error as Error).message),
  });
  while (counts.length > 0) {
    t.mock.timers.tick(HOUR_MS);
    await new Promise(setImmediate);
  }
  stop();
  assert.deepEqual(
    failures.map((message) => message.slice(0, 28)),
    ["2 TOTP factors do not open, ", "2 TOTP factors do not open, ", "3 TOTP factors do not open, "],
  );
  assert.match(failures[0]!, /KYROS_SECRET_PREVIOUS/);
});
