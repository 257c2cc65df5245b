import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { systemRandom } from "../../src/kernel/random.ts";
import { GcraTable } from "../../src/stores/memory/gcra-table.ts";
import { createPlacement } from "../../src/stores/memory/key-placement.ts";

const NOW_MS = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;
// Enough for several shards.
const MANY = 9000;

const keyOf = (n: number) => Int32Array.of(n, 0, 0x4000_0004, 0);
const tableOf = (limit: number, maxKeys: number) =>
  new GcraTable({ name: "p", limit, windowMs: 60_000 }, maxKeys, createPlacement(systemRandom), NOW_MS);

function fill(table: GcraTable, keys: number, times: number, nowMs: number): void {
  for (let i = 0; i < keys; i++) for (let n = 0; n < times; n++) table.take(keyOf(i), nowMs);
}

describe("a full table", () => {
  it("never forgets a client over its limit, whatever comes", () => {
    const table = tableOf(2, MANY);
    fill(table, MANY, 2, NOW_MS);
    for (let i = 0; i < 3 * MANY; i++) table.take(keyOf(1_000_000 + i), NOW_MS);
    assert.equal(table.count, MANY);
    for (let i = 0; i < MANY; i++) assert.equal(table.take(keyOf(i), NOW_MS).allowed, false);
  });

  it("gives all newcomers together one quota while only clients over their limit are left", () => {
    const table = tableOf(2, MANY);
    fill(table, MANY, 2, NOW_MS);
    const newcomers = [1_000_000, 1_000_001, 1_000_002, 1_000_003].map(keyOf);
    const allowed = newcomers.map((key) => table.take(key, NOW_MS).allowed);
    assert.deepEqual(allowed, [true, true, false, false]);
    assert.equal(table.take(keyOf(1_000_004), NOW_MS).retryAfterSeconds, 30);
  });

  it("lets newcomers in again as soon as a client is no longer over its limit", () => {
    const table = tableOf(2, MANY);
    fill(table, MANY, 2, NOW_MS);
    for (let i = 0; i < 5; i++) table.take(keyOf(1_000_000 + i), NOW_MS);
    assert.equal(table.take(keyOf(1_000_000), NOW_MS + 29_999).allowed, false);
    for (let i = 0; i < 100; i++) {
      const { allowed, remaining } = table.take(keyOf(1_000_000 + i), NOW_MS + 30_000);
      assert.deepEqual({ allowed, remaining }, { allowed: true, remaining: 1 });
    }
  });

  it("finds the one entry that can go, in whichever shard it is", () => {
    for (const spare of [0, 1, 2, 3, 4, 5, 6, 7]) {
      const table = tableOf(2, MANY);
      for (let i = 0; i < MANY; i++)
        for (let n = i === spare ? 1 : 0; n < 2; n++) table.take(keyOf(i), NOW_MS);
      assert.equal(table.take(keyOf(1_000_000), NOW_MS).remaining, 1);
      assert.equal(table.take(keyOf(1_000_000), NOW_MS).remaining, 0);
      assert.equal(table.count, MANY);
      assert.equal(table.take(keyOf(1_000_001), NOW_MS).remaining, 1);
      assert.equal(table.take(keyOf(1_000_002), NOW_MS).remaining, 0);
    }
  });

  it("drops idle entries before any other, then the one closest to recovery", () => {
    const table = tableOf(10, 4);
    for (const [key, times] of [
      [1, 9],
      [2, 3],
      [3, 5],
    ] as const) {
      for (let n = 0; n < times; n++) table.take(keyOf(key), NOW_MS);
    }
    table.take(keyOf(4), NOW_MS - 60_000);
    const remaining = (key: number) => table.take(keyOf(key), NOW_MS).remaining;
    assert.equal(remaining(5), 9, "in place of 4, which was idle");
    assert.equal(remaining(5), 8);
    assert.equal(remaining(2), 6, "was kept");
    assert.equal(remaining(6), 9, "in place of 5, which had taken least");
    assert.deepEqual([1, 2, 3].map(remaining), [0, 5, 4]);
    assert.equal(table.count, 4);
  });

  it("holds no more than it may, however many come", () => {
    for (const maxKeys of [1, 2, 15, 16, 100, 4096, 4097]) {
      const table = tableOf(3, maxKeys);
      fill(table, 3 * maxKeys, 1, NOW_MS);
      assert.equal(table.count, maxKeys);
    }
  });

  it("shuts nobody out for the time that the clock was ahead", () => {
    const table = tableOf(2, MANY);
    fill(table, MANY, 2, NOW_MS + 400 * DAY_MS);
    for (let i = 0; i < 5; i++) table.take(keyOf(1_000_000 + i), NOW_MS + 400 * DAY_MS);
    for (let i = 0; i < 5; i++) table.take(keyOf(1_000_000 + i), NOW_MS);
    for (let i = 0; i < 100; i++)
      assert.equal(table.take(keyOf(2_000_000 + i), NOW_MS + 60_000).remaining, 1);
  });
});
