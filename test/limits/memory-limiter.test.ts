import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createMemoryLimiter } from "../../src/stores/memory/memory-limiter.ts";
import { limiterContract } from "../../src/testing/limiter-contract.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";

const NOW_MS = Date.UTC(2026, 0, 1);
const POLICY = { name: "p", limit: 2, windowMs: 60_000 };

describe("memory limiter", () => {
  limiterContract(async () => ({ limiter: createMemoryLimiter(), close: () => {} }));

  it("remembers a million clients exactly", () => {
    const limiter = createMemoryLimiter();
    const keys = Array.from(
      { length: 1_000_000 },
      (_, i) => `address:10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
    );
    for (let times = 1; times <= 3; times++) {
      for (const key of keys) {
        if (limiter.take(POLICY, key, NOW_MS).allowed !== times < 3) assert.fail(`take ${times} of ${key}`);
      }
    }
  });

  it("counts by a clock of its own where it has one, whatever the wall clock is set to", () => {
    const clock = manualClock(NOW_MS);
    const limiter = createMemoryLimiter({ clock });
    const take = (wallMs: number) => limiter.take(POLICY, "k", wallMs);
    const hourMs = 3_600_000;
    assert.deepEqual(
      [take(NOW_MS), take(NOW_MS - hourMs), take(NOW_MS + hourMs)].map((one) => one.allowed),
      [true, true, false],
    );
    clock.advance(POLICY.windowMs);
    assert.equal(take(NOW_MS - hourMs).allowed, true);
  });

  it("knows a policy by its name and numbers, not by its object or by where its name is cut", () => {
    const limiter = createMemoryLimiter();
    const remaining = (name: string, limit: number, windowMs: number) =>
      limiter.take({ name, limit, windowMs }, "k", NOW_MS).remaining;
    assert.equal(remaining("p", 10, 1000), 9);
    assert.equal(remaining("p", 10, 1000), 8);
    assert.equal(remaining("1000/p", 10, 1000), 9);
    assert.equal(remaining("0/p", 10, 1000), 9);
    assert.equal(remaining("p", 10, 1000), 7);
  });

  it("keeps a policy's numbers although its object is changed afterwards", () => {
    const limiter = createMemoryLimiter();
    const policy = { ...POLICY };
    limiter.take(policy, "k", NOW_MS);
    policy.limit = 1000;
    assert.equal(limiter.take(policy, "k", NOW_MS).limit, 2);
    assert.equal(limiter.take(policy, "k", NOW_MS).allowed, false);
  });

  it("bounds the policies, forgetting none with a client over its limit", () => {
    const limiter = createMemoryLimiter();
    const policyOf = (i: number) => ({ ...POLICY, name: `p${i}` });
    for (let i = 0; i < 1000; i++) {
      for (let n = 0; n < 2; n++) limiter.take(policyOf(i), "k", NOW_MS + i);
    }
    // A request is back after 30 s: until then each may hold a client over its limit.
    const refused = limiter.take(policyOf(1000), "k", NOW_MS + 29_999);
    assert.deepEqual(refused, {
      policy: "p1000",
      limit: 2,
      windowSeconds: 60,
      remaining: 0,
      resetSeconds: 60,
      allowed: false,
      retryAfterSeconds: 30,
    });
    for (let i = 0; i < 1000; i++) {
      assert.equal(limiter.take(policyOf(i), "k", NOW_MS + 29_999).allowed, false);
    }
    limiter.take(policyOf(0), "k", NOW_MS + 60_000);
    assert.equal(limiter.take(policyOf(1000), "k", NOW_MS + 60_000).allowed, true, "in place of 1");
    assert.equal(limiter.take(policyOf(0), "k", NOW_MS + 60_000).remaining, 0, "was kept");
  });

  it("shuts no policy out for the time that the clock was ahead", () => {
    const limiter = createMemoryLimiter();
    for (let i = 0; i < 1000; i++) {
      for (let n = 0; n < 2; n++) limiter.take({ ...POLICY, name: `p${i}` }, "k", NOW_MS + 400 * 86_400_000);
    }
    const policy = { ...POLICY, name: "late" };
    assert.equal(limiter.take(policy, "k", NOW_MS).allowed, false);
    assert.equal(limiter.take(policy, "k", NOW_MS + 30_000).allowed, true);
  });

  it("forgets a policy's table for good, also for who still holds its object", () => {
    const limiter = createMemoryLimiter();
    const policies = Array.from({ length: 1001 }, (_, i) => ({ ...POLICY, limit: 5, name: `p${i}` }));
    const first = policies[0]!;
    for (const policy of policies.slice(0, 1000)) limiter.take(policy, "k", NOW_MS + 86_400_000);
    for (const policy of [policies[1]!, first]) limiter.take(policy, "k", NOW_MS + 86_400_000);
    // After the clock is set back none was used before another, and the first is as good to forget as any.
    limiter.take(policies[1000]!, "k", NOW_MS);
    assert.equal(limiter.take(policies[1000]!, "k", NOW_MS + 12_000).allowed, true);
    assert.equal(limiter.take(first, "k", NOW_MS + 24_000).remaining, 4);
    assert.equal(limiter.take({ ...first }, "k", NOW_MS + 24_000).remaining, 3);
  });

  it("refuses numbers out of range", () => {
    for (const maxKeys of [0, -1, 1.5, Number.NaN, 1e9]) {
      assert.throws(() => createMemoryLimiter({ maxKeys }), RangeError);
    }
    const limiter = createMemoryLimiter();
    for (const limit of [0, -1, 1.5, Number.NaN, 1e9 + 1]) {
      assert.throws(() => limiter.take({ ...POLICY, limit }, "k", NOW_MS), RangeError);
    }
    for (const windowMs of [0, -1, 0.5, Number.NaN, 367 * 86_400_000]) {
      assert.throws(() => limiter.take({ ...POLICY, windowMs }, "k", NOW_MS), RangeError);
    }
    for (const nowMs of [Number.NaN, Number.POSITIVE_INFINITY, 1e300]) {
      assert.throws(() => limiter.take(POLICY, "k", nowMs), RangeError);
    }
  });

  it("takes a fraction of a millisecond for the one that has begun", () => {
    const limiter = createMemoryLimiter();
    for (const ms of [0.1, 0.9]) limiter.take(POLICY, "k", NOW_MS + ms);
    assert.equal(limiter.take(POLICY, "k", NOW_MS + 29_999.9).allowed, false);
    assert.equal(limiter.take(POLICY, "k", NOW_MS + 30_000).allowed, true);
  });
});
