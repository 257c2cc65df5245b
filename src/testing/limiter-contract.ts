import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Allowance } from "../kernel/exchange.ts";
import type { Limiter, LimitPolicy } from "../kernel/limiter.ts";

/** A limiter under test, and what releases it. */
export interface OpenLimiter {
  readonly limiter: Limiter;
  close(): Promise<void> | void;
}

const START_MS = Date.UTC(2026, 0, 1);

/** Registers the cases that any `Limiter` must pass, over one limiter that nothing else uses meanwhile. */
export function limiterContract(open: () => Promise<OpenLimiter>): void {
  describe("limiter contract", () => {
    let opened: OpenLimiter;
    let used = 0;
    before(async () => {
      opened = await open();
    });
    after(() => opened.close());

    /** A key that no other case has used. */
    const freshKey = () => `contract:${used++}`;
    const take = (policy: LimitPolicy, key: string, nowMs: number) => opened.limiter.take(policy, key, nowMs);
    /** Takes until one is refused, and says how many were not. */
    const drain = async (policy: LimitPolicy, key: string, nowMs: number) => {
      let allowed = 0;
      while ((await take(policy, key, nowMs)).allowed) allowed++;
      return allowed;
    };

    for (const [limit, windowMs] of [
      [1, 1000],
      [7, 60_000],
      [100, 900_000],
      [997, 3_600_000],
      [1000, 3_600_000],
    ] as const) {
      it(`allows exactly ${limit} of 1,100 at once`, async () => {
        const policy = { name: "contract", limit, windowMs };
        const key = freshKey();
        const takes = Array.from({ length: 1100 }, () => take(policy, key, START_MS));
        const allowances = await Promise.all(takes);
        assert.equal(allowances.filter((allowance) => allowance.allowed).length, limit);
      });
    }

    it("counts every key on its own, however alike", async () => {
      const policy = { name: "contract", limit: 2, windowMs: 60_000 };
      const keys = [
        "user:a",
        "address:user:a",
        "user:a ",
        "USER:a",
        "user:a\u0000",
        "user:á",
        "user:a\u0301",
        "",
      ];
      for (const key of keys) assert.equal(await drain(policy, key, START_MS), 2, JSON.stringify(key));
      for (const key of keys) assert.equal((await take(policy, key, START_MS)).allowed, false);
    });

    it("counts every policy on its own, by name and by numbers", async () => {
      const policy = { name: "contract", limit: 3, windowMs: 60_000 };
      const key = freshKey();
      assert.equal(await drain(policy, key, START_MS), 3);
      assert.equal(await drain({ ...policy, name: "other" }, key, START_MS), 3);
      assert.equal(await drain({ ...policy, limit: 4 }, key, START_MS), 4);
      assert.equal(await drain({ ...policy, windowMs: 61_000 }, key, START_MS), 3);
      assert.equal((await take({ ...policy }, key, START_MS)).allowed, false);
    });

    it("tells what is left, and when it is whole again", async () => {
      const policy = { name: "contract", limit: 4, windowMs: 10_000 };
      const key = freshKey();
      const said: Allowance[] = [];
      for (const afterMs of [0, 0, 1, 1, 2]) said.push(await take(policy, key, START_MS + afterMs));
      const fixed = { policy: "contract", limit: 4, windowSeconds: 10 };
      assert.deepEqual(said, [
        { ...fixed, allowed: true, remaining: 3, resetSeconds: 3, retryAfterSeconds: 0 },
        { ...fixed, allowed: true, remaining: 2, resetSeconds: 5, retryAfterSeconds: 0 },
        { ...fixed, allowed: true, remaining: 1, resetSeconds: 8, retryAfterSeconds: 0 },
        { ...fixed, allowed: true, remaining: 0, resetSeconds: 10, retryAfterSeconds: 3 },
        { ...fixed, allowed: false, remaining: 0, resetSeconds: 10, retryAfterSeconds: 3 },
      ]);
    });

    it("gives one request back each part of the window, not a millisecond sooner", async () => {
      const policy = { name: "contract", limit: 5, windowMs: 60_000 };
      const key = freshKey();
      await drain(policy, key, START_MS);
      for (let i = 1; i <= 3; i++) {
        assert.equal((await take(policy, key, START_MS + i * 12_000 - 1)).allowed, false);
        assert.equal((await take(policy, key, START_MS + i * 12_000)).allowed, true);
        assert.equal((await take(policy, key, START_MS + i * 12_000)).allowed, false);
      }
    });

    it("gives the whole quota back after a window, and never more", async () => {
      const policy = { name: "contract", limit: 7, windowMs: 60_000 };
      const key = freshKey();
      assert.equal(await drain(policy, key, START_MS), 7);
      assert.equal(await drain(policy, key, START_MS + 60_000), 7);
      assert.equal(await drain(policy, key, START_MS + 10 * 60_000), 7);
    });

    it("does not charge what it refuses", async () => {
      const policy = { name: "contract", limit: 2, windowMs: 60_000 };
      const key = freshKey();
      await drain(policy, key, START_MS);
      for (let i = 0; i < 50; i++) await take(policy, key, START_MS + i);
      assert.equal((await take(policy, key, START_MS + 30_000)).allowed, true);
    });

    it("grants nothing for a clock that is set back and forward again", async () => {
      const policy = { name: "contract", limit: 10, windowMs: 60_000 };
      const key = freshKey();
      await drain(policy, key, START_MS);
      for (const backMs of [1, 5000, 30_000, 54_000]) {
        assert.equal(await drain(policy, key, START_MS - backMs), 0);
        assert.equal(await drain(policy, key, START_MS), 0);
      }
    });

    it("locks nobody out for more than a window once the clock is set back", async () => {
      const policy = { name: "contract", limit: 10, windowMs: 60_000 };
      for (const backMs of [1, 54_000, 54_001, 60_000, 86_400_000, 400 * 86_400_000]) {
        const key = freshKey();
        await drain(policy, key, START_MS);
        const refused = await take(policy, key, START_MS - backMs);
        assert.equal(refused.allowed, false);
        assert.ok(refused.retryAfterSeconds >= 1 && refused.retryAfterSeconds <= 60, String(backMs));
        assert.equal((await take(policy, key, START_MS - backMs + 60_000)).allowed, true, String(backMs));
      }
    });

    it("stays exact over times without end", async () => {
      const policy = { name: "contract", limit: 7, windowMs: 60_000 };
      const key = freshKey();
      for (let year = 0; year < 100; year += 9) {
        assert.equal(await drain(policy, key, START_MS + year * 366 * 86_400_000), 7);
      }
    });
  });
}
