import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { systemRandom } from "../../src/kernel/random.ts";
import { createMemoryLimiter } from "../../src/stores/memory/memory-limiter.ts";
import type { SharedLimits } from "../../src/stores/memory/shared-limiter.ts";
import { createSharedLimiter, reserveSharedLimits } from "../../src/stores/memory/shared-limiter.ts";
import { limiterContract } from "../../src/testing/limiter-contract.ts";

const NOW_MS = Date.UTC(2026, 0, 1);
const HOUR = { name: "hour", limit: 10, windowMs: 3_600_000 };

interface Job {
  readonly limits: SharedLimits;
  readonly takes: number;
  readonly keys: number;
  readonly limit: number;
}

/** How many takes each key was granted, all threads taking at once. */
async function inThreads(threads: number, job: Job): Promise<readonly number[]> {
  const barrier = new Int32Array(new SharedArrayBuffer(4));
  const granted = await Promise.all(
    Array.from({ length: threads }, async (_, i) => {
      const worker = new Worker(join(import.meta.dirname, "taking-thread.ts"), {
        workerData: { ...job, holder: i + 1, barrier, threads },
      });
      const [ofThread] = (await once(worker, "message")) as [readonly number[]];
      await worker.terminate();
      return ofThread;
    }),
  );
  return granted[0]!.map((_, key) => granted.reduce((sum, one) => sum + one[key]!, 0));
}

describe("shared limiter", () => {
  limiterContract(async () => ({
    limiter: createSharedLimiter(reserveSharedLimits(systemRandom, 100_000), 1),
    close: () => {},
  }));

  it("grants as many as the limit over all threads, for each of many keys, while the table grows", async () => {
    const limits = reserveSharedLimits(systemRandom, 100_000);
    const granted = await inThreads(3, { limits, takes: 100_000, keys: 5000, limit: 7 });
    assert.deepEqual(new Set(granted), new Set([7]));
  });

  it("grants exactly the limit of 300,000 takes of one key by three threads", async () => {
    const limits = reserveSharedLimits(systemRandom, 1000);
    assert.deepEqual(await inThreads(3, { limits, takes: 100_000, keys: 1, limit: 49_999 }), [49_999]);
  });

  it("answers as the limiter of one thread does, whatever is asked when", () => {
    const policies = [HOUR, { name: "second", limit: 3, windowMs: 1000 }, { ...HOUR, limit: 7 }];
    const step = fc.record({
      policy: fc.constantFrom(...policies),
      key: fc.constantFrom("address:192.0.2.1", "address:2001:db8:0:100::/56", "user:a", "key:b"),
      afterMs: fc.integer({ min: -5000, max: 2_000_000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const shared = createSharedLimiter(reserveSharedLimits(systemRandom, 100), 1);
        const alone = createMemoryLimiter();
        let nowMs = NOW_MS;
        for (const { policy, key, afterMs } of steps) {
          nowMs += afterMs;
          assert.deepEqual(shared.take(policy, key, nowMs), alone.take(policy, key, nowMs));
        }
      }),
      { numRuns: 200 },
    );
  });

  it("forgets no client over its limit for newcomers, and counts none for whom there is no room", () => {
    const limiter = createSharedLimiter(reserveSharedLimits(systemRandom, 50), 1);
    const once = { name: "once", limit: 1, windowMs: 3_600_000 };
    for (let i = 0; i < 50; i++) assert.ok(limiter.take(once, `over:${i}`, NOW_MS).allowed);
    for (let i = 0; i < 50; i++) assert.ok(!limiter.take(once, `over:${i}`, NOW_MS).allowed);
    for (let i = 0; i < 200; i++) assert.ok(!limiter.take(once, `new:${i}`, NOW_MS).allowed);
    assert.ok(limiter.take(once, "later", NOW_MS + 3_600_000).allowed);
  });

  it("drops idle clients, and those closest to recovery, for newcomers", () => {
    const limiter = createSharedLimiter(reserveSharedLimits(systemRandom, 50), 1);
    for (let i = 0; i < 10; i++) {
      for (let n = 0; n < 10; n++) limiter.take(HOUR, `over:${i}`, NOW_MS);
    }
    for (let i = 0; i < 5000; i++) assert.ok(limiter.take(HOUR, `new:${i}`, NOW_MS + i).allowed, String(i));
    for (let i = 0; i < 10; i++) assert.ok(!limiter.take(HOUR, `over:${i}`, NOW_MS + 5000).allowed);
  });

  it("goes on without a thread that died with a lock in its hands, and keeps what was counted", async () => {
    const limits = reserveSharedLimits(systemRandom, 1000);
    const alive = createSharedLimiter(limits, 1);
    for (let n = 0; n < 10; n++) alive.take(HOUR, "user:a", NOW_MS);
    assert.equal(limits.shards, 1);
    // The lock is the first word after the seed: thread 2 took it and is gone.
    const lock = new Int32Array(limits.memory, 32 * 1024, 1);
    Atomics.store(lock, 0, 2);
    alive.releaseHeldBy(3);
    assert.equal(Atomics.load(lock, 0), 2);
    alive.releaseHeldBy(2);
    assert.equal(alive.take(HOUR, "user:a", NOW_MS).allowed, false);
    assert.equal(alive.take(HOUR, "user:b", NOW_MS).remaining, 9);
  });

  it("takes memory from the system only for what is used", () => {
    const before = process.memoryUsage().rss;
    const limits = reserveSharedLimits(systemRandom);
    createSharedLimiter(limits, 1).take(HOUR, "user:a", NOW_MS);
    assert.ok(limits.memory.byteLength > 70_000_000);
    assert.ok(process.memoryUsage().rss - before < 30_000_000);
  });

  it("refuses sizes that are none", () => {
    for (const maxKeys of [0, -1, 1.5, Number.NaN, 1e9]) {
      assert.throws(() => reserveSharedLimits(systemRandom, maxKeys), RangeError);
    }
  });
});
