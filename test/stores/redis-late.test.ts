import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { describe, it } from "node:test";
import { Outage } from "../../src/kernel/failure.ts";
import { withinDeadline } from "../../src/stores/deadline.ts";
import { eventually } from "./eventually.ts";
import { openRedisLimiter } from "./redis-limits.ts";
import { startRedis, WITHOUT_REDIS } from "./redis-server.ts";
import { startProxy } from "./tcp-proxy.ts";

const HOUR_MS = 3_600_000;
const policyOf = (limit: number) => ({ name: `limit-${limit}`, limit, windowMs: 1000 * HOUR_MS });

async function open(t: TestContext) {
  const server = await startRedis();
  t.after(() => server.stop());
  const proxy = await startProxy(server.port);
  t.after(() => proxy.stop());
  const { limiter, close } = await openRedisLimiter([proxy.url], { deadlineMs: 50 });
  t.after(close);
  return { server, proxy, limiter };
}

/**
 * A call past its deadline was decided elsewhere, and Redis may carry it out all the same. It may then have counted a
 * request, which makes it stricter; it must not count one less, nor answer in the place of another.
 */
describe("a call past its deadline", { skip: WITHOUT_REDIS }, () => {
  it("is an outage for each of its takes, within the deadline", async (t) => {
    const { server, limiter } = await open(t);
    server.pause();
    const all = Array.from({ length: 100 }, (_, i) => limiter.take(policyOf(10), `k${i}`, 0));
    const takes = await withinDeadline(Promise.allSettled(all), 1000);
    server.resume();
    for (const take of takes) {
      assert.ok(take.status === "rejected" && take.reason instanceof Outage);
      assert.match((take.reason.cause as Error).message, /no reply within 50 ms/);
    }
  });

  it("never answers in the place of another", async (t) => {
    const { proxy, limiter } = await open(t);
    proxy.delay(200);
    // Each has a limit of its own, so that an answer tells which question it is of.
    for (let limit = 100; limit < 105; limit++) {
      await assert.rejects(limiter.take(policyOf(limit), "k", 0), Outage);
    }
    proxy.delay(0);
    let answered = 0;
    for (let limit = 200; answered < 20; limit++) {
      const take = await limiter.take(policyOf(limit), "k", 0).catch(() => undefined);
      if (take === undefined) continue;
      answered++;
      assert.deepEqual([take.policy, take.limit, take.remaining], [`limit-${limit}`, limit, limit - 1]);
    }
  });

  it("counts once where it is carried out late, and never gives anything back", async (t) => {
    const { server, limiter } = await open(t);
    const policy = policyOf(100);
    assert.equal((await limiter.take(policy, "k", 0)).remaining, 99);
    server.pause();
    for (let i = 0; i < 5; i++) await assert.rejects(limiter.take(policy, "k", 0), Outage);
    server.resume();
    const { remaining } = await eventually(() => limiter.take(policy, "k", 0));
    // One before, five late, and as many more as the last one needed tries; at the most all of those.
    assert.ok(remaining <= 98 - 5 && remaining > 0, String(remaining));
    assert.equal((await limiter.take(policy, "k", 0)).remaining, remaining - 1);
  });

  it("counts also where its connection was given up meanwhile", async (t) => {
    const { server, limiter } = await open(t);
    const policy = policyOf(100);
    await limiter.take(policy, "k", 0);
    server.pause();
    await assert.rejects(limiter.take(policy, "k", 0), Outage);
    // The connection is taken for dead after a second; what it has sent lies in the server's socket.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    server.resume();
    const { remaining } = await eventually(() => limiter.take(policy, "k", 0));
    assert.ok(remaining <= 98, String(remaining));
  });

  it("grants no more in all than the limit and what was decided elsewhere", async (t) => {
    const { server, limiter } = await open(t);
    const policy = policyOf(50);
    let granted = 0;
    let elsewhere = 0;
    const storm = (count: number) =>
      Promise.all(
        Array.from({ length: count }, () =>
          limiter.take(policy, "k", 0).then(
            ({ allowed }) => {
              if (allowed) granted++;
            },
            () => {
              elsewhere++;
            },
          ),
        ),
      );
    await storm(20);
    for (let round = 0; round < 3; round++) {
      server.pause();
      await storm(5);
      server.resume();
      await eventually(() => limiter.probe());
    }
    await storm(100);
    assert.ok(elsewhere > 0);
    assert.ok(granted <= 50, `${granted} granted`);
    assert.ok(granted >= 50 - elsewhere, `${granted} granted, ${elsewhere} decided elsewhere`);
  });

  it("is not made of a reply that had arrived while this process was busy", async () => {
    const reply = Promise.withResolvers<string>();
    // As a socket's data does, the reply comes after the timers of the same turn.
    const waited = withinDeadline(reply.promise, 20);
    stop(60);
    setTimeout(() => reply.resolve("arrived"), 0);
    assert.equal(await waited, "arrived");
  });

  it("is not made of time in which this process could not run", async () => {
    const reply = Promise.withResolvers<string>();
    const waited = withinDeadline(reply.promise, 40);
    stop(120);
    setTimeout(() => reply.resolve("arrived"), 10);
    assert.equal(await waited, "arrived");
    await assert.rejects(withinDeadline(new Promise(() => {}), 40), /no reply within 40 ms/);
  });

  it("is not made by a stop of this process that is longer than a connection is kept", async (t) => {
    const server = await startRedis();
    t.after(() => server.stop());
    const { limiter, close } = await openRedisLimiter([server.url], { deadlineMs: 50 });
    t.after(close);
    const taken = limiter.take(policyOf(10), "k", 0);
    await sent();
    stop(1500);
    assert.equal((await taken).remaining, 9);
    assert.equal((await limiter.take(policyOf(10), "k", 0)).remaining, 8, "the connection was kept");
  });

  it("is not made by a stop of the whole machine", async (t) => {
    const server = await startRedis();
    t.after(() => server.stop());
    const { limiter, close } = await openRedisLimiter([server.url], { deadlineMs: 1000 });
    t.after(close);
    server.pause();
    const taken = limiter.take(policyOf(10), "k", 0);
    await sent();
    stop(1500);
    server.resume();
    assert.equal((await taken).remaining, 9);
  });
});

/** Nothing of this process runs meanwhile. */
function stop(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Waits until the calls of this turn have been handed to the socket, and no longer: no reply has been read. */
function sent(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
