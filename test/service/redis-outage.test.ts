import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { describe, it } from "node:test";
import { randomToken, systemRandom } from "../../src/kernel/random.ts";
import { withinDeadline } from "../../src/stores/deadline.ts";
import { eventually } from "../stores/eventually.ts";
import type { RedisServer } from "../stores/redis-server.ts";
import { freePort, startRedis, WITHOUT_REDIS } from "../stores/redis-server.ts";
import type { TestService } from "./running-service.ts";
import { PASSWORD, runService } from "./running-service.ts";

/** Far above the deadline of a command, far below whatever waits for Redis, in time that this process could run. */
const SOON_MS = 2000;
/** More than elsewhere, so that a busy machine is not taken for an outage; and more still where limits must be exact. */
const DEADLINE_MS = "250";
const LONGEST_DEADLINE_MS = "1000";

async function start(t: TestContext, variables: Record<string, string>): Promise<TestService> {
  const service = await runService({ KYROS_REDIS_DEADLINE_MS: DEADLINE_MS, ...variables });
  t.after(() => service.stop());
  return service;
}

async function readiness(service: TestService): Promise<{ status: number; redis: string | undefined }> {
  const response = await fetch(`${service.url}/readyz`);
  const body = (await response.json()) as { dependencies: { redis?: { status: string } } };
  return { status: response.status, redis: body.dependencies.redis?.status };
}

const storeEvents = (service: TestService) =>
  service.events.map(({ name }) => name).filter((name) => name.startsWith("store."));

/** Asks all the time until told to stop; then how often each status came. Rejects where an answer was not there soon. */
function traffic(service: TestService, token: string) {
  const statuses = new Map<number, number>();
  let isOn = true;
  const ask = async () => {
    while (isOn) {
      const response = await withinDeadline(
        fetch(`${service.url}/protected`, { headers: { authorization: `Bearer ${token}` } }),
        SOON_MS,
      );
      await response.arrayBuffer();
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    }
  };
  const asking = Promise.all([ask(), ask(), ask(), ask()]);
  asking.catch(() => undefined);
  return {
    async stop() {
      isOn = false;
      await asking;
      return statuses;
    },
  };
}

/** Waits until each of two instances has told Redis of itself again after both had. */
async function bothHaveCountedTwo(redis: RedisServer): Promise<void> {
  const beats = async () => {
    const scored = await redis.command("zrange", "kyros:instances", 0, -1, "withscores");
    const times = (scored as string[]).filter((_, n) => n % 2 === 1).map(Number);
    assert.equal(times.length, 2);
    return times;
  };
  const first = Math.max(...(await eventually(beats)));
  await eventually(async () => assert.ok(Math.min(...(await beats())) > first));
}

async function statusesOf(count: number, url: string): Promise<Record<number, number>> {
  const statuses: Record<number, number> = {};
  for (let i = 0; i < count; i++) {
    const { status } = await fetch(url);
    statuses[status] = (statuses[status] ?? 0) + 1;
  }
  return statuses;
}

describe("the service over Redis", { skip: WITHOUT_REDIS }, () => {
  for (const [trouble, isKilled] of [
    ["killed and started again", true],
    ["stopped and continued", false],
  ] as const) {
    it(`answers as ever while Redis is ${trouble}, and tells it once each way`, async (t) => {
      const redis = await startRedis();
      t.after(() => redis.stop());
      const service = await start(t, { REDIS_URL: redis.url, KYROS_RATE_LIMIT: "1000000/1h" });
      await service.createUser("alice");
      const { access_token } = await service.login("alice");
      assert.deepEqual(await readiness(service), { status: 200, redis: "ok" });
      assert.ok(Number(await redis.command("dbsize")) > 0, "the limits are in Redis");

      const requests = traffic(service, access_token);
      if (isKilled) await redis.kill();
      else redis.pause();
      await eventually(() => assert.deepEqual(storeEvents(service), ["store.degraded"]));
      assert.deepEqual(await readiness(service), { status: 200, redis: "degraded" });
      await new Promise((resolve) => setTimeout(resolve, 1000));
      if (isKilled) {
        const next = await startRedis({ port: redis.port });
        t.after(() => next.stop());
      } else redis.resume();
      await eventually(() => assert.deepEqual(storeEvents(service), ["store.degraded", "store.recovered"]));
      assert.deepEqual(await readiness(service), { status: 200, redis: "ok" });

      assert.deepEqual([...(await requests.stop()).keys()], [200]);
      assert.deepEqual(service.failures, []);
      assert.equal(storeEvents(service).length, 2);
    });
  }

  it("starts without Redis, degraded, and says so in one event", async (t) => {
    const port = await freePort();
    const service = await withinDeadline(
      start(t, { REDIS_URL: `redis://127.0.0.1:${port}`, KYROS_RATE_LIMIT: "3/1h" }),
      10_000,
    );
    assert.deepEqual(storeEvents(service), ["store.degraded"]);
    assert.match(service.events[0]!.reason!, /^not connected: connect ECONNREFUSED/);
    assert.deepEqual(await readiness(service), { status: 200, redis: "degraded" });
    assert.deepEqual(await statusesOf(5, `${service.url}/protected`), { 401: 3, 429: 2 });

    const redis = await startRedis({ port });
    t.after(() => redis.stop());
    await eventually(() => assert.deepEqual(storeEvents(service), ["store.degraded", "store.recovered"]));
  });

  it("starts and stops within seconds while Redis answers nothing at all", async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    redis.pause();
    const service = await withinDeadline(runService({ REDIS_URL: redis.url }), 8000);
    assert.deepEqual(storeEvents(service), ["store.degraded"]);
    await withinDeadline(service.stop(), 3000);
  });

  it("shares limits between instances, and grants each its part while Redis is away", async (t) => {
    const redis = await startRedis();
    t.after(() => redis.stop());
    const variables = {
      REDIS_URL: redis.url,
      KYROS_REDIS_DEADLINE_MS: LONGEST_DEADLINE_MS,
      KYROS_SECRET: randomToken(systemRandom, 64),
      KYROS_RATE_LIMIT: "10/24h",
      KYROS_LOGIN_RATE_LIMIT: "5/24h",
    };
    const instances = [await start(t, variables), await start(t, variables)] as const;
    await instances[0].createUser("alice");
    const login = async (service: TestService, password: string) => {
      const response = await fetch(`${service.url}/auth/login`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ username: "alice", password }),
      });
      return response.status;
    };

    await bothHaveCountedTwo(redis);
    const tries: number[] = [];
    for (let i = 0; i < 3; i++) for (const service of instances) tries.push(await login(service, "wrong"));
    assert.deepEqual(tries, [401, 401, 401, 401, 401, 429]);
    const [here, there] = await Promise.all(instances.map(({ url }) => statusesOf(10, `${url}/protected`)));
    // Six of the ten went to the tries.
    assert.deepEqual((here![401] ?? 0) + (there![401] ?? 0), 4);

    await redis.kill();
    for (const service of instances) {
      await eventually(() => assert.deepEqual(storeEvents(service), ["store.degraded"]));
      assert.equal(service.events.find(({ name }) => name === "store.degraded")!.details!["instances"], 2);
    }
    // No fresh start for guesses: each instance had granted more than its part of five, rounded down, already.
    for (const service of instances) assert.equal(await login(service, PASSWORD), 429);
    for (const { url } of instances) {
      const { 401: granted = 0 } = await statusesOf(8, `${url}/protected`);
      assert.equal(granted, 4, "five, and one went to the try");
    }
  });
});
