import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import type { Allowance } from "../../src/kernel/exchange.ts";
import { createMemoryLimiter } from "../../src/stores/memory/memory-limiter.ts";
import { createLimitKeys } from "../../src/stores/redis/limit-keys.ts";
import { HASH_KEY, openClockedLimiter, openRedisLimiter } from "./redis-limits.ts";
import type { RedisServer } from "./redis-server.ts";
import { startRedis, WITHOUT_REDIS } from "./redis-server.ts";

const MINUTE = { name: "minute", limit: 100, windowMs: 60_000 };

describe("redis limiter", { skip: WITHOUT_REDIS }, () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());

  async function open(t: TestContext) {
    const opened = await openRedisLimiter([server.url]);
    t.after(() => opened.close());
    return opened.limiter;
  }
  /** How many scripts Redis has run. */
  async function scripts(): Promise<number> {
    const stats = String(await server.command("info", "commandstats"));
    return [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].reduce(
      (sum, [, n]) => sum + Number(n),
      0,
    );
  }

  it("admits exactly the limit of 20,000 takes by two clients at once", async (t) => {
    const clients = [await open(t), await open(t)] as const;
    // Nothing comes back while this runs.
    const policy = { name: "shared", limit: 1000, windowMs: 366 * 86_400_000 };
    const allowances: Allowance[] = [];
    // In waves that even a busy machine decides within the deadline.
    for (let wave = 0; wave < 20; wave++) {
      const taken = Array.from({ length: 1000 }, async (_, at) => {
        // Spread over several turns, so that the calls of both meet.
        for (let turn = at % 7; turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve));
        return clients[at % 2]!.take(policy, "k", 0);
      });
      allowances.push(...(await Promise.all(taken)));
    }
    const allowed = allowances.filter((allowance) => allowance.allowed);
    assert.equal(allowed.length, 1000);
    assert.deepEqual(
      allowed.map(({ remaining }) => remaining).sort((a, b) => b - a),
      Array.from({ length: 1000 }, (_, at) => 999 - at),
    );
  });

  it("decides all of one turn in a few calls", async (t) => {
    const limiter = await open(t);
    const other = { name: "other", limit: 7, windowMs: 1000 };
    const calls = await scripts();
    const allowances = await Promise.all(
      Array.from({ length: 200 }, (_, at) => limiter.take(at % 3 === 0 ? other : MINUTE, `turn:${at}`, 0)),
    );
    assert.equal(await scripts(), calls + Math.ceil(200 / 32));
    // Each has the answer to its own question.
    for (const [at, { policy, limit, remaining, allowed }] of allowances.entries()) {
      const asked = at % 3 === 0 ? other : MINUTE;
      assert.deepEqual(
        { policy, limit, remaining, allowed },
        { policy: asked.name, limit: asked.limit, remaining: asked.limit - 1, allowed: true },
      );
    }
  });

  it("gives back what was taken as Redis's time passes, whatever time the caller has", async (t) => {
    const limiter = await open(t);
    const policy = { name: "brief", limit: 2, windowMs: 1000 };
    for (const nowMs of [0, Date.now() + 86_400_000])
      assert.ok((await limiter.take(policy, "t", nowMs)).allowed);
    const refused = await limiter.take(policy, "t", 1e15);
    assert.deepEqual(refused, {
      policy: "brief",
      limit: 2,
      windowSeconds: 1,
      remaining: 0,
      resetSeconds: 1,
      allowed: false,
      retryAfterSeconds: 1,
    });
    await new Promise((resolve) => setTimeout(resolve, 1100));
    for (const remaining of [1, 0]) assert.equal((await limiter.take(policy, "t", 0)).remaining, remaining);
  });

  it("lets Redis clear a counter away once it says nothing, and not before", async (t) => {
    const limiter = await open(t);
    const policy = { name: "cleared", limit: 10, windowMs: 600_000 };
    for (let i = 0; i < 3; i++) await limiter.take(policy, "c", 0);
    const { text } = createLimitKeys(HASH_KEY, 1)(policy, "c");
    const [whole] = String(await server.command("get", text)).split(":");
    assert.equal(Number(await server.command("pexpiretime", text)), Number(whole) + 10_000);
    const ttlMs = Number(await server.command("pttl", text));
    assert.ok(ttlMs > 180_000 && ttlMs <= 190_000, String(ttlMs));
  });

  it("names no user and no address in its keys, and keeps them short", async (t) => {
    const limiter = await open(t);
    await server.command("flushall");
    const keys = ["user:0198b0c0-alice", "address:203.0.113.77", `login:203.0.113.77 ${"alice".repeat(40)}`];
    for (const key of keys) await limiter.take(MINUTE, key, 0);
    const stored = (await server.command("keys", "*")) as string[];
    assert.equal(stored.length, keys.length);
    for (const key of stored) assert.match(key, /^kyros:limit:\{0\}:[A-Za-z0-9_-]{22}$/);
    const elsewhere = createLimitKeys(new Uint8Array(16).fill(8), 1)(MINUTE, keys[0]!).text;
    assert.ok(!stored.includes(elsewhere), "another key of the hash makes other keys");
  });

  it("keeps policies apart, wherever their names end", () => {
    const keyOf = createLimitKeys(HASH_KEY, 1);
    const texts = [
      keyOf({ name: "a", limit: 1, windowMs: 1 }, "b/c"),
      keyOf({ name: "a/b", limit: 1, windowMs: 1 }, "c"),
      keyOf({ name: "1/a", limit: 1, windowMs: 1 }, "b/c"),
      keyOf({ name: "", limit: 1, windowMs: 1 }, "a/b/c"),
    ].map(({ text }) => text);
    assert.equal(new Set(texts).size, texts.length);
  });

  it("refuses numbers out of range, as the one in memory does", async (t) => {
    const limiter = await open(t);
    for (const limit of [0, -1, 1.5, Number.NaN, 1e9 + 1]) {
      assert.throws(() => limiter.take({ ...MINUTE, limit }, "k", 0), RangeError);
    }
  });

  it("decides as the limiter in memory does, whatever the policy and however the clock steps", async (t) => {
    const { limiter, close } = await openClockedLimiter(server);
    t.after(close);
    const steps = fc.oneof(
      fc.integer({ min: 0, max: 50 }),
      fc.integer({ min: -86_400_000, max: 86_400_000 }),
      fc.integer({ min: 0, max: 366 * 86_400_000 }),
    );
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 1e9 }),
        fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 366 * 86_400_000 })),
        fc.array(fc.tuple(steps, fc.integer({ min: 1, max: 4 })), { maxLength: 12 }),
        async (anyLimit, windowMs, plan) => {
          // Small limits are those that refuse.
          const limit = runs % 2 === 0 ? anyLimit : 1 + (anyLimit % 5);
          const policy = { name: "same", limit, windowMs };
          const memory = createMemoryLimiter();
          const key = `run:${runs++}`;
          let nowMs = Date.UTC(2026, 0, 1);
          for (const [stepMs, times] of plan) {
            nowMs += stepMs;
            for (let i = 0; i < times; i++) {
              assert.deepEqual(await limiter.take(policy, key, nowMs), memory.take(policy, key, nowMs));
            }
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});
