import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { openStores } from "../../src/stores/open.ts";
import { FOR_THE_RECORD } from "../rounds.ts";
import { eventually } from "../stores/eventually.ts";
import { startRedis, WITHOUT_REDIS } from "../stores/redis-server.ts";
import type { Ledger } from "./ledger.ts";
import { openLedger } from "./ledger.ts";
import type { ThreeInstances } from "./three-instances.ts";
import { login, startThreeInstances } from "./three-instances.ts";

/** What three instances together grant of tries for one name from one address. */
const LOGIN_LIMIT = 3;
const SHARE = Math.ceil(LOGIN_LIMIT / 3);
/** How long a fault lasts (ms), and once, for the record, a Redis that is stopped. */
const FAULT_MS = FOR_THE_RECORD ? 1500 : 750;
const LONG_STOP_MS = FOR_THE_RECORD ? 30_000 : FAULT_MS;

interface Fault {
  readonly what: string;
  readonly lastsMs?: number;
  begin(): unknown;
  end(): unknown;
}

describe("three instances over one Redis that fails", { skip: WITHOUT_REDIS, timeout: 600_000 }, () => {
  let three: ThreeInstances;
  let ledger: Ledger;
  let outages = 0;
  let names = 0;
  before(async () => {
    three = await startThreeInstances(
      {
        KYROS_RATE_LIMIT: "1000000/1h",
        KYROS_LOGIN_RATE_LIMIT: `${LOGIN_LIMIT}/24h`,
        // More than elsewhere, so that a busy machine is not taken for an outage of its own.
        KYROS_REDIS_DEADLINE_MS: "150",
      },
      { proxiedRedis: true },
    );
    ledger = await openLedger(three);
  });
  after(async () => {
    await ledger?.stop();
    await three?.stop();
  });

  /** What an instance's log says of Redis, in order. */
  const told = (index: number) =>
    three.instances[index]!.log.filter((line) => line["subject"] === "redis").map((line) =>
      String(line["event"]),
    );
  const count = (index: number, event: string) => told(index).filter((one) => one === event).length;

  async function showsRedis(status: "ok" | "degraded"): Promise<void> {
    for (const { url } of three.instances) {
      const answer = await fetch(`${url}/readyz`);
      assert.equal(answer.status, 200);
      const body = (await answer.json()) as { dependencies: { redis: { status: string } } };
      assert.equal(body.dependencies.redis.status, status);
    }
  }

  /** How many tries for one name from one address each instance lets through to the password. */
  async function triesGranted(): Promise<number[]> {
    const [name, address] = [`guessed-${names}`, `198.51.100.${names}`];
    names++;
    const granted = [0, 0, 0];
    for (let i = 0; i < LOGIN_LIMIT + 1; i++) {
      for (const index of [0, 1, 2]) {
        const answer = await three.tryLogin(index, name, "a wrong password", address);
        assert.ok([401, 429].includes(answer), String(answer));
        if (answer === 401) granted[index]!++;
      }
    }
    return granted;
  }

  /** Soon, as a busy machine may miss a deadline once more, and then an instance decides on its own. */
  function limitIsExact(): Promise<void> {
    return eventually(async () => {
      const granted = await triesGranted();
      assert.equal(
        granted.reduce((sum, one) => sum + one),
        LOGIN_LIMIT,
      );
    }, 20_000);
  }

  function assertFlowed(what: string): void {
    const statuses = ledger.takeStatuses();
    assert.ok((statuses.get(200) ?? 0) > 0, `${what}: nothing was answered`);
    for (const [status] of statuses) {
      assert.ok([200, 204, 401].includes(Number(status)), `${what}: ${JSON.stringify([...statuses])}`);
    }
  }

  const degrading: readonly Fault[] = [
    {
      what: "killed, and started again",
      begin: () => three.redis.kill(),
      end: async () => three.useRedis(await startRedis({ port: three.redis.port })),
    },
    {
      what: `stopped for ${LONG_STOP_MS / 1000} s`,
      lastsMs: LONG_STOP_MS,
      begin: () => three.redis.pause(),
      end: () => three.redis.resume(),
    },
    {
      what: "slowed to 200 ms",
      begin: () => three.redisProxy!.delay(200),
      end: () => three.redisProxy!.delay(0),
    },
    {
      what: "out of memory",
      begin: () => three.redis.command("config", "set", "maxmemory", "1", "maxmemory-policy", "noeviction"),
      end: () => three.redis.command("config", "set", "maxmemory", "0"),
    },
    {
      what: "read-only",
      begin: () => three.redis.command("replicaof", "127.0.0.1", "1"),
      end: () => three.redis.command("replicaof", "no", "one"),
    },
  ];
  for (const { what, lastsMs = FAULT_MS, begin, end } of degrading) {
    it(`${what}: requests flow, limits are no looser, revocations hold; told once each way`, async () => {
      await eventually(() => showsRedis("ok"));
      const before = [0, 1, 2].map((index) => told(index).length);
      ledger.takeStatuses();
      const beganMs = performance.now();
      await begin();
      try {
        await eventually(() => showsRedis("degraded"));
        const granted = await triesGranted();
        assert.ok(
          granted.every((count) => count > 0 && count <= SHARE),
          JSON.stringify(granted),
        );
        await ledger.verify();
        await delay(Math.max(0, lastsMs - (performance.now() - beganMs)));
      } finally {
        await end();
      }
      await eventually(() => showsRedis("ok"));
      outages++;
      for (const index of [0, 1, 2]) {
        // Never twice for one change. On a busy machine there may be another outage, of its own, which this one ends in.
        const all = told(index);
        const changes = all.map((_, n) => (n % 2 === 0 ? "store.degraded" : "store.recovered"));
        assert.ok(all.length > before[index]! && all.length % 2 === 0, JSON.stringify(all));
        assert.deepEqual(all, changes);
      }
      await limitIsExact();
      await ledger.verify();
      assertFlowed(what);
    });
  }

  for (const [what, happen] of [
    ["flushed", () => three.redis.command("flushall")],
    ["without its scripts", () => three.redis.command("script", "flush")],
    ["reset amid a reply", () => three.redisProxy!.resetReplyTo("evalsha", 3)],
  ] as const) {
    it(`${what}: requests flow and revocations hold, and the limits are exact again at once`, async () => {
      ledger.takeStatuses();
      for (let i = 0; i < 3; i++) {
        await happen();
        await delay(FAULT_MS / 3);
      }
      await eventually(() => showsRedis("ok"));
      await limitIsExact();
      await ledger.verify();
      assertFlowed(what);
    });
  }

  it("has every outage in the audit trail and the metrics, once for each instance", async () => {
    assert.ok(ledger.ended > 0);
    const stores = await openStores({ databaseUrl: three.postgres.url });
    try {
      for (const type of ["store.degraded", "store.recovered"] as const) {
        await eventually(async () => {
          const inLogs = [0, 1, 2].map((index) => count(index, type)).reduce((sum, one) => sum + one);
          assert.ok(inLogs >= 3 * outages);
          const entries = await stores.audit.list({ type, limit: 1000 });
          assert.equal(
            entries.filter(({ subject }) => subject === "redis").reduce((sum, entry) => sum + entry.count, 0),
            inLogs,
          );
        });
      }
    } finally {
      await stores.close();
    }
    await three.createUser("root", "admin");
    const { access_token } = await login(three.instances[0], "root");
    const metrics = await fetch(`${three.instances[0].url}/metrics`, {
      headers: { authorization: `Bearer ${access_token}` },
    });
    const shown = /^kyros_security_events_total\{event="store\.degraded"\} (\d+)$/m.exec(
      await metrics.text(),
    );
    assert.equal(Number(shown?.[1]), count(0, "store.degraded"));
  });
});
