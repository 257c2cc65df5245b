import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { systemRandom } from "../../src/kernel/random.ts";
import { GcraTable } from "../../src/stores/memory/gcra-table.ts";
import type { Placement } from "../../src/stores/memory/key-placement.ts";
import { createPlacement } from "../../src/stores/memory/key-placement.ts";
import { NaiveLimiter } from "./naive-limiter.ts";

const START_MS = Date.UTC(2026, 0, 1);

/** A key of the table by a number. */
const keyOf = (n: number) => Int32Array.of(n, 0, 0x4000_0004, 0);

/** Spread as in use, all on one slot, all on the last slot so that chains wrap round, and on a few that interleave. */
const PLACEMENTS: readonly (readonly [name: string, placement: Placement])[] = [
  ["even", createPlacement(systemRandom)],
  ["first slot", () => 0],
  ["last slot", () => 0xffff_ffff],
  ["three neighbours", (words, at) => 0xe000_0000 + (words[at]! % 3) * 0x0e00_0000],
];

interface Step {
  readonly key: number;
  readonly afterMs: number;
  readonly times: number;
}

/** Takes of `keys` keys; the clock goes back as often as forward where `earliest` is -1. */
const stepsOf = (keys: number, earliest: -1 | 0) =>
  fc.array(
    fc.record({
      key: fc.nat(keys),
      afterMs: fc.oneof(
        fc.integer({ min: 500 * earliest, max: 900 }),
        fc.integer({ min: 3e6 * earliest, max: 3e6 }),
      ),
      times: fc.integer({ min: 1, max: 4 }),
    }),
    { minLength: 1, maxLength: 150, size: "max" },
  );

function assertAgree(
  table: GcraTable,
  naive: NaiveLimiter,
  steps: readonly Step[],
  startMs = START_MS,
): void {
  let nowMs = startMs;
  for (const { key, afterMs, times } of steps) {
    nowMs += afterMs;
    for (let i = 0; i < times; i++) {
      assert.deepEqual(table.take(keyOf(key), nowMs), naive.take(String(key), nowMs));
    }
  }
}

describe("GCRA table against the naive model", () => {
  for (const [name, placement] of PLACEMENTS) {
    it(`says the same of random takes, the clock going both ways (keys on: ${name})`, () => {
      const policies = fc.record({
        name: fc.constant("p"),
        limit: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 1e7 })),
        windowMs: fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 1e6 })),
      });
      // With few keys none is dropped as idle; of one that was, a clock that is set back knows no more.
      const steps = fc.oneof(stepsOf(14, -1), stepsOf(60, 0));
      fc.assert(
        fc.property(policies, steps, (policy, taken) => {
          assertAgree(new GcraTable(policy, 1000, placement, START_MS), new NaiveLimiter(policy), taken);
        }),
        { numRuns: 100 },
      );
    });

    it(`says the same while it drops entries of many blocks (keys on: ${name})`, () => {
      const policy = { name: "p", limit: 7, windowMs: 60_013 };
      const table = new GcraTable(policy, 400, placement, START_MS);
      const steps = Array.from({ length: 8000 }, (_, i) => ({
        key: (i * i * 31 + i) % 1009,
        afterMs: 1 + (i % 40),
        times: 1 + ((i * 7) % 3),
      }));
      assertAgree(table, new NaiveLimiter(policy, 400), steps);
      assert.equal(table.count, 400);
    });

    it(`says the same while it is full and must drop entries (keys on: ${name})`, () => {
      // Time passes at every step and a request costs no whole number of milliseconds: hardly ever do two entries
      // recover at one instant, so that there is more than one right entry to drop; such a run shows nothing.
      const limits = fc.constantFrom(1, 2, 7);
      const steps = fc.array(
        fc.record({
          key: fc.nat(40),
          afterMs: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 9000 })),
          times: fc.integer({ min: 1, max: 9 }),
        }),
        { minLength: 60, maxLength: 200, size: "max" },
      );
      fc.assert(
        fc.property(limits, fc.integer({ min: 1, max: 15 }), steps, (limit, maxKeys, taken) => {
          const policy = { name: "p", limit, windowMs: 60_013 };
          const table = new GcraTable(policy, maxKeys, placement, START_MS);
          const naive = new NaiveLimiter(policy, maxKeys);
          try {
            assertAgree(table, naive, taken);
          } catch (error) {
            fc.pre(!naive.hadTie);
            throw error;
          }
          assert.ok(table.count <= maxKeys);
        }),
        { numRuns: 100 },
      );
    });
  }

  it("says the same of 20,000 keys while it grows", () => {
    const policy = { name: "p", limit: 3, windowMs: 60_000 };
    const table = new GcraTable(policy, 30_000, createPlacement(systemRandom), START_MS);
    const steps = Array.from({ length: 60_000 }, (_, i) => ({
      key: (i * 7919) % 20_000,
      afterMs: i % 8 === 0 ? 1 : 0,
      times: 1 + (i % 3),
    }));
    assertAgree(table, new NaiveLimiter(policy), steps);
    assert.equal(table.count, 20_000);
  });

  it("keeps keys apart that no bit of their placement tells apart", () => {
    const policy = { name: "p", limit: 3, windowMs: 60_000 };
    const table = new GcraTable(policy, 5000, () => 0x8000_0000, START_MS);
    const steps = Array.from({ length: 6000 }, (_, i) => ({ key: i % 3000, afterMs: 0, times: 1 }));
    assertAgree(table, new NaiveLimiter(policy), steps);
    assert.equal(table.count, 3000);
  });

  it("forgets idle keys instead of growing for ever", () => {
    const policy = { name: "p", limit: 3, windowMs: 60_000 };
    const table = new GcraTable(policy, 1_000_000, createPlacement(systemRandom), START_MS);
    const naive = new NaiveLimiter(policy);
    for (let window = 0; window < 20; window++) {
      const steps = Array.from({ length: 2000 }, (_, i) => ({
        key: 2000 * window + i,
        afterMs: 0,
        times: 1,
      }));
      assertAgree(table, naive, steps, START_MS + window * 60_000);
    }
    assert.ok(table.count < 10_000, `${table.count} entries`);
  });

  it("keeps what it knows when the clock has gone further than doubles reach", () => {
    // 1009 units a millisecond: 2^52 of them are 141 years.
    const policy = { name: "p", limit: 1009, windowMs: 366 * 86_400_000 };
    const reachMs = Math.floor(2 ** 52 / 1009);
    const table = new GcraTable(policy, 1000, createPlacement(systemRandom), START_MS);
    const naive = new NaiveLimiter(policy);
    assertAgree(table, naive, [
      { key: 1, afterMs: 0, times: 1009 },
      { key: 2, afterMs: reachMs - 1, times: 500 },
      { key: 2, afterMs: 2, times: 1 },
      { key: 1, afterMs: 1, times: 1010 },
      { key: 2, afterMs: -3 * reachMs, times: 1 },
      { key: 1, afterMs: 1, times: 1 },
      { key: 2, afterMs: 366 * 86_400_000, times: 1010 },
    ]);
  });
});

describe("GCRA table long after its first request", () => {
  // A request is back one unit before, or one after, a whole number of milliseconds.
  for (const [odd, backMs] of [
    [-1, 30_000_000],
    [1, 30_000_001],
  ] as const) {
    it(`still tells a 1009th of a millisecond (${odd})`, () => {
      const table = new GcraTable(
        { name: "p", limit: 1009, windowMs: 1009 * 30_000_000 + odd },
        1000,
        createPlacement(systemRandom),
        START_MS,
      );
      for (let i = 0; i < 8; i++) {
        const nowMs = START_MS + 8 * Math.floor(2 ** 52 / 1009) + 12_345 + i;
        for (let n = 0; n < 1009; n++) assert.equal(table.take(keyOf(i), nowMs).allowed, true);
        assert.equal(table.take(keyOf(i), nowMs + backMs - 1).allowed, false);
        assert.equal(table.take(keyOf(i), nowMs + backMs).allowed, true);
      }
    });
  }
});

describe("GCRA table of a policy beyond exact units", () => {
  it("allows the limit at once and is late by less than a millionth, never early", () => {
    const policy = { name: "p", limit: 1_000_003, windowMs: 366 * 86_400_000 };
    const table = new GcraTable(policy, 10, createPlacement(systemRandom), START_MS);
    for (let i = 1; i <= policy.limit; i++)
      assert.equal(table.take(keyOf(1), START_MS).remaining, policy.limit - i);
    const emissionMs = policy.windowMs / policy.limit;
    assert.equal(table.take(keyOf(1), START_MS + Math.floor(emissionMs)).allowed, false);
    assert.equal(table.take(keyOf(1), START_MS + Math.ceil(emissionMs * 1.000001)).allowed, true);
  });
});
