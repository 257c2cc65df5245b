import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Outage } from "../../src/kernel/failure.ts";
import type { Limiter, LimitPolicy } from "../../src/kernel/limiter.ts";
import { randomToken, systemRandom } from "../../src/kernel/random.ts";
import { PUBLIC_RULE } from "../../src/kernel/rule.ts";
import { createKyros } from "../../src/service/create-kyros.ts";
import { createBreaker } from "../../src/stores/breaker.ts";
import { createFallbackLimiter } from "../../src/stores/fallback-limiter.ts";
import { createMemoryLimiter } from "../../src/stores/memory/memory-limiter.ts";

const NOW_MS = Date.UTC(2026, 0, 1);
const POLICY: LimitPolicy = { name: "default", limit: 10, windowMs: 60_000 };

/** A fallback over a shared limiter that is down where `isDown` says so, on one of so many instances. */
function setUp({ among = 3 } = {}) {
  const counter = createMemoryLimiter();
  const given = { isDown: false, among, asked: 0 };
  const shared: Limiter = {
    async take(policy, key, nowMs) {
      given.asked++;
      if (given.isDown) throw new Outage("redis", { cause: new Error("gone") });
      return counter.take(policy, key, nowMs);
    },
  };
  // Each failure is a while after the one before.
  const clock = { now: () => given.asked * 1000 };
  const breaker = createBreaker({ onOpen: () => {}, onClose: () => {}, clock });
  const local = createMemoryLimiter();
  const limiter = createFallbackLimiter({ shared, local, breaker, instances: () => given.among });
  const drain = async (policy: LimitPolicy, key: string) => {
    let allowed = 0;
    while ((await limiter.take(policy, key, NOW_MS)).allowed) allowed++;
    return allowed;
  };
  return { given, breaker, limiter, drain };
}

describe("fallback limiter", () => {
  it("counts for all instances while the shared one answers", async () => {
    const { drain, breaker } = setUp();
    assert.equal(await drain(POLICY, "k"), 10);
    assert.equal(breaker.state(), "closed");
  });

  it("grants the share, rounded up, while it does not, and asks no more once the breaker is open", async () => {
    const { given, breaker, limiter, drain } = setUp();
    given.isDown = true;
    assert.equal(await drain(POLICY, "k"), 4);
    assert.equal(breaker.state(), "open");
    assert.equal(given.asked, 3);
    const refused = await limiter.take(POLICY, "k", NOW_MS);
    assert.deepEqual(
      { policy: refused.policy, limit: refused.limit, allowed: refused.allowed },
      { policy: "default", limit: 4, allowed: false },
    );
    assert.equal(given.asked, 3);
  });

  it("gives at least one request and follows the number of instances", async () => {
    const { given, breaker, drain } = setUp({ among: 1000 });
    breaker.open(new Error("gone"));
    assert.equal(await drain(POLICY, "a"), 1);
    assert.equal(await drain({ ...POLICY, onOutage: "strict" }, "b"), 1);
    given.among = 2;
    assert.equal(await drain(POLICY, "c"), 5);
    given.among = 1;
    assert.equal(await drain(POLICY, "d"), 10);
  });

  it("never grants more of a strict limit than the share rounded down, what it granted before counted in", async () => {
    const { given, drain, limiter } = setUp();
    const login: LimitPolicy = { ...POLICY, name: "login", onOutage: "strict" };
    given.isDown = true;
    assert.equal(await drain(login, "fresh"), 3);

    const later = setUp();
    for (let i = 0; i < 2; i++) assert.ok((await later.limiter.take(login, "k", NOW_MS)).allowed);
    for (let i = 0; i < 9; i++) await later.limiter.take(login, "spent", NOW_MS);
    later.given.isDown = true;
    assert.equal(await later.drain(login, "k"), 1);
    assert.equal(await later.drain(login, "spent"), 0);
    assert.equal((await limiter.take(login, "fresh", NOW_MS)).allowed, false);
  });

  it("throws an outage for a policy that refuses instead, at the first failure as when open", async () => {
    const { given, breaker, limiter } = setUp();
    const deny: LimitPolicy = { ...POLICY, onOutage: "deny" };
    assert.equal((await limiter.take(deny, "k", NOW_MS)).allowed, true);
    given.isDown = true;
    await assert.rejects(async () => limiter.take(deny, "k", NOW_MS), Outage);
    breaker.open(new Error("gone"));
    await assert.rejects(async () => limiter.take(deny, "k", NOW_MS), Outage);
    assert.equal((await limiter.take(POLICY, "k", NOW_MS)).allowed, true);
  });

  it("makes such a policy's outage a 503, and any other's no refusal at all", async () => {
    const { breaker, limiter } = setUp();
    breaker.open(new Error("gone"));
    const view = {
      method: "GET",
      path: "/",
      target: "/",
      header: () => undefined,
      headerLines: () => [],
      peerAddress: "192.0.2.1",
      peerEncrypted: true,
    };
    const outcomeWith = async (onOutage: "local" | "deny") => {
      const failures: unknown[] = [];
      const kyros = createKyros({
        secret: randomToken(systemRandom, 64),
        limiter: {
          take: (policy, key, nowMs) => limiter.take({ ...policy, onOutage }, key, nowMs),
        },
        onFailure: (error) => void failures.push(error),
      });
      const outcome = await kyros.pipeline.run(kyros.pipeline.open(view, PUBLIC_RULE));
      return { outcome, failures };
    };
    const local = await outcomeWith("local");
    assert.deepEqual([local.outcome.kind, local.failures], ["proceed", []]);
    const { outcome, failures } = await outcomeWith("deny");
    assert.ok(outcome.kind === "respond");
    assert.equal(outcome.answer.status, 503);
    assert.equal((JSON.parse(String(outcome.answer.body)) as { code: string }).code, "unavailable");
    assert.ok(failures.length === 1 && failures[0] instanceof Outage);
  });

  it("hides no fault of the caller's behind the fallback", async () => {
    const { limiter, breaker } = setUp();
    await assert.rejects(async () => limiter.take({ ...POLICY, limit: 0 }, "k", NOW_MS), RangeError);
    assert.equal(breaker.counts().failures, 0);
  });
});
