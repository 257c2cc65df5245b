import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { describe, it } from "node:test";
import type { AuditEvent } from "../../src/kernel/audit-event.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { systemRandom } from "../../src/kernel/random.ts";
import { withinDeadline } from "../../src/stores/deadline.ts";
import type { SharedLimits } from "../../src/stores/shared-limits.ts";
import { openSharedLimits } from "../../src/stores/shared-limits.ts";
import { eventually } from "./eventually.ts";
import { HASH_KEY } from "./redis-limits.ts";
import type { RedisServer } from "./redis-server.ts";
import { startRedis, WITHOUT_REDIS } from "./redis-server.ts";
import type { TcpProxy } from "./tcp-proxy.ts";
import { startProxy } from "./tcp-proxy.ts";

/** Far below anything that waits for Redis, and far above its deadline: this machine may be busy. */
const SOON_MS = 2000;
const DEADLINE_MS = 100;
/** Where Redis is well, so that a busy machine is not taken for an outage. */
const PATIENT_MS = 5000;
const POLICY = { name: "default", limit: 1_000_000, windowMs: 86_400_000 };

interface Opened {
  readonly server: RedisServer;
  readonly proxy: TcpProxy;
  readonly shared: SharedLimits;
  readonly events: readonly AuditEvent[];
  /** Takes all the time, like traffic does, until told to stop; then rejects for a take that failed or waited. */
  traffic(): { stop(): Promise<void> };
  /** Waits for the change, and says what all changes so far are. */
  changedTo(name: "store.degraded" | "store.recovered"): Promise<readonly string[]>;
}

async function open(t: TestContext, deadlineMs = DEADLINE_MS): Promise<Opened> {
  const server = await startRedis();
  t.after(() => server.stop());
  const proxy = await startProxy(server.port);
  t.after(() => proxy.stop());
  const events: AuditEvent[] = [];
  const failures: unknown[] = [];
  t.after(() => assert.deepEqual(failures, []));
  const shared = await openSharedLimits({
    urls: [proxy.url],
    hashKey: HASH_KEY,
    deadlineMs,
    clock: systemClock,
    random: systemRandom,
    events: { record: (event) => void events.push(event) },
    onFailure: (error) => void failures.push(error),
  });
  t.after(() => shared.close());
  // A machine that is busy may have taken more than the second that a start waits.
  await eventually(() => assert.equal(shared.breaker.state(), "closed"));
  events.length = 0;
  return {
    server,
    proxy,
    shared,
    events,
    traffic() {
      let isOn = true;
      t.after(() => {
        isOn = false;
      });
      const going = (async () => {
        while (isOn) {
          const takes = ["a", "b", "c"].map((key) => shared.limiter.take(POLICY, key, Date.now()));
          const taken = await withinDeadline(Promise.all(takes), SOON_MS);
          for (const { allowed } of taken) assert.ok(allowed);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      })();
      going.catch(() => {});
      return {
        stop() {
          isOn = false;
          return going;
        },
      };
    },
    async changedTo(name) {
      await eventually(() => assert.equal(events.at(-1)?.name, name));
      return events.map((event) => event.name);
    },
  };
}

/**
 * Trouble that begins and ends under traffic: told once each way, and no take that fails or waits. Afterwards a busy
 * machine may make an outage of its own.
 */
async function ridesOut(
  opened: Opened,
  reason: RegExp,
  begin: () => unknown,
  end: () => unknown,
): Promise<void> {
  const { shared, events } = opened;
  const traffic = opened.traffic();
  await begin();
  assert.deepEqual(await opened.changedTo("store.degraded"), ["store.degraded"]);
  const [degraded] = events;
  assert.match(degraded!.reason!, reason);
  assert.deepEqual(
    {
      outcome: degraded!.outcome,
      actor: degraded!.actor,
      subject: degraded!.subject,
      details: degraded!.details,
    },
    { outcome: "failure", actor: { kind: "system" }, subject: "redis", details: { instances: 1 } },
  );
  assert.notEqual(shared.breaker.state(), "closed");
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.equal(events.length, 1, "once, however long it lasts");
  await end();
  await opened.changedTo("store.recovered");
  assert.equal(events[1]!.outcome, "success");
  await eventually(() => assert.equal(shared.breaker.state(), "closed"));
  await traffic.stop();
  assert.deepEqual(
    events.map(({ name }) => name),
    events.map((_, n) => (n % 2 === 0 ? "store.degraded" : "store.recovered")),
  );
}

describe("redis in trouble", { concurrency: 2, skip: WITHOUT_REDIS }, () => {
  it("killed, and started again: local limits meanwhile", async (t) => {
    const opened = await open(t);
    const { port } = opened.server;
    await ridesOut(
      opened,
      /not connected|no reply/,
      () => opened.server.kill(),
      async () => {
        const next = await startRedis({ port });
        t.after(() => next.stop());
      },
    );
  });

  it("stopped (SIGSTOP), and continued", async (t) => {
    const opened = await open(t);
    await ridesOut(opened, /no reply within 100 ms/, opened.server.pause, opened.server.resume);
  });

  it("stopped for longer than a connection is kept", async (t) => {
    const opened = await open(t);
    await ridesOut(
      opened,
      /no reply within 100 ms/,
      async () => {
        opened.server.pause();
        await new Promise((resolve) => setTimeout(resolve, 2500));
      },
      opened.server.resume,
    );
  });

  it("slowed to 200 ms", async (t) => {
    const opened = await open(t);
    await ridesOut(
      opened,
      /no reply within 100 ms/,
      () => opened.proxy.delay(200),
      () => opened.proxy.delay(0),
    );
  });

  it("behind a network that lets nothing through and says nothing", async (t) => {
    const opened = await open(t);
    await ridesOut(
      opened,
      /no reply within 100 ms/,
      () => opened.proxy.cut(true),
      () => opened.proxy.cut(false),
    );
  });

  it("out of memory", async (t) => {
    const opened = await open(t);
    const { command } = opened.server;
    await ridesOut(
      opened,
      /OOM/,
      () => command("config", "set", "maxmemory", "1", "maxmemory-policy", "noeviction"),
      () => command("config", "set", "maxmemory", "0"),
    );
  });

  it("a read-only replica", async (t) => {
    const opened = await open(t);
    const { command } = opened.server;
    await ridesOut(
      opened,
      /READONLY/,
      () => command("replicaof", "127.0.0.1", "1"),
      () => command("replicaof", "no", "one"),
    );
  });

  it("flushed: counters begin anew, once, and nothing is degraded", async (t) => {
    const { server, shared, events } = await open(t, PATIENT_MS);
    const policy = { name: "small", limit: 3, windowMs: 3_600_000 };
    const drain = async () => {
      let allowed = 0;
      while ((await shared.limiter.take(policy, "k", Date.now())).allowed) allowed++;
      return allowed;
    };
    assert.equal(await drain(), 3);
    await server.command("flushall");
    assert.equal(await drain(), 3);
    assert.equal(await drain(), 0);
    assert.deepEqual(events, []);
  });

  it("without its scripts: they are sent again, and the counters go on", async (t) => {
    const { server, shared, events } = await open(t, PATIENT_MS);
    for (let left = 9; left > 0; left--) {
      const { remaining } = await shared.limiter.take({ ...POLICY, limit: 10 }, "k", Date.now());
      assert.equal(remaining, left);
      await server.command("script", "flush");
    }
    assert.deepEqual(events, []);
  });

  it("a connection reset in the middle of a reply: decided locally, and the next connection answers", async (t) => {
    const { proxy, shared } = await open(t);
    for (const bytes of [1, 3, 7]) {
      const before = shared.breaker.counts().failures;
      proxy.resetReplyTo("evalsha", bytes);
      const takes = Array.from({ length: 50 }, (_, i) =>
        shared.limiter.take({ ...POLICY, name: `reset-${i}`, limit: 10 + i }, `k${bytes}`, Date.now()),
      );
      for (const [i, { limit, remaining }] of (await Promise.all(takes)).entries()) {
        assert.deepEqual([limit, remaining], [10 + i, 9 + i]);
      }
      assert.ok(shared.breaker.counts().failures > before);
      // Whether that was long enough to open the breaker depends on how fast the next connection is made.
      await eventually(async () => {
        const before = shared.breaker.counts().failures;
        const { remaining } = await shared.limiter.take({ ...POLICY, limit: 7 }, `back${bytes}`, Date.now());
        assert.equal(shared.breaker.state(), "closed");
        assert.equal(shared.breaker.counts().failures, before);
        assert.ok(remaining < 7);
      });
    }
  });
});
