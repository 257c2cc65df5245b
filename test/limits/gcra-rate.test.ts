import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { compileRate } from "../../src/stores/gcra-rate.ts";

const DAY_MS = 86_400_000;

describe("a policy in whole units", () => {
  it("is exact where it can be", () => {
    assert.deepEqual(compileRate({ name: "p", limit: 100, windowMs: 900_000 }), {
      windowMs: 900_000,
      unitsPerMs: 1,
      unitsPerSecond: 1000,
      emission: 9000,
      capacity: 900_000,
    });
    assert.deepEqual(compileRate({ name: "p", limit: 7, windowMs: 60_000 }), {
      windowMs: 60_000,
      unitsPerMs: 7,
      unitsPerSecond: 7000,
      emission: 60_000,
      capacity: 420_000,
    });
  });

  it("has room for twice its window in a double, and is never early nor late by a millionth", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.integer({ min: 1, max: 2000 }),
          fc.integer({ min: 1, max: 1e9 }),
          fc.constant(999_999_937),
        ),
        fc.oneof(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 366 * DAY_MS })),
        (limit, windowMs) => {
          const { unitsPerMs, emission, capacity } = compileRate({ name: "p", limit, windowMs });
          assert.ok(
            [unitsPerMs, emission, capacity].every((number) => Number.isInteger(number) && number > 0),
          );
          assert.ok(capacity <= 2 ** 51 + 1e9);
          const asked = BigInt(windowMs) * BigInt(unitsPerMs);
          const given = BigInt(emission) * BigInt(limit);
          assert.equal(given, BigInt(capacity));
          assert.ok(given >= asked);
          assert.ok((given - asked) * 1_000_000n < asked || given === asked);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
