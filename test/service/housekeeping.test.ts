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
  const resealSecrets = mock.fn(async () => undefined);
  const failures: unknown[] = [];
  const { stop } = startHousekeeping({
    stores,
    resealSecrets,
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
  assert.equal(resealSecrets.mock.callCount(), 1);
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
