import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { openStores } from "../../src/stores/open.ts";
import { eventually } from "../stores/eventually.ts";
import { runSql } from "../stores/postgres-databases.ts";
import { WITHOUT_REDIS } from "../stores/redis-server.ts";
import type { Ledger } from "./ledger.ts";
import { openLedger } from "./ledger.ts";
import type { ThreeInstances, Tokens } from "./three-instances.ts";
import { bearer, login, PASSWORD, post, startThreeInstances, statusOf } from "./three-instances.ts";

/** Every call to a database that does not answer ends within 5 s, and a request may make two, one after the other; the rest
 * is for a machine that does other things too (ms). */
const BOUND_MS = 20_000;
const FAULT_MS = 2000;
/** Once the outage is noticed an answer waits for nothing; the rest is for 200 requests on a busy machine (ms). */
const AT_ONCE_MS = 3000;
const AT_A_TIME = 200;
/** What an instance's memory may grow by while requests are refused, garbage and all (bytes). */
const MOST_GROWTH = 150 * 2 ** 20;

describe("three instances over one PostgreSQL that fails", { skip: WITHOUT_REDIS, timeout: 600_000 }, () => {
  let three: ThreeInstances;
  let ledger: Ledger;
  let revoked: Tokens;
  before(async () => {
    three = await startThreeInstances({ KYROS_RATE_LIMIT: "1000000/1h", KYROS_LOGIN_RATE_LIMIT: "off" });
    ledger = await openLedger(three);
    revoked = await login(three.instances[0], "ledger");
    assert.equal(
      (await post(three.instances[1], "/auth/logout", {}, bearer(revoked.access_token))).status,
      204,
    );
    // What the ledger is to check has to be there first.
    await eventually(async () => assert.ok(ledger.ended > 3), 120_000);
  });
  after(async () => {
    await ledger?.stop();
    await three?.stop();
  });

  /** Serving again, with everything that was acknowledged before and during the fault. */
  afterEach(async () => {
    const [first] = three.instances;
    await eventually(
      async () => assert.equal(await statusOf(first, (await login(first, "ledger")).access_token), 200),
      20_000,
    );
    for (const { url } of three.instances) {
      await eventually(async () => assert.equal((await fetch(`${url}/readyz`)).status, 200), 20_000);
    }
    await ledger.verify();
  });

  /** Each instance refuses a revoked token, or says that it cannot know, within the bound. */
  async function neverAccepts(): Promise<number[]> {
    const beganMs = performance.now();
    const statuses = await Promise.all(
      three.instances.map((instance) => statusOf(instance, revoked.access_token)),
    );
    assert.ok(performance.now() - beganMs < BOUND_MS, "an answer took too long");
    for (const status of statuses) assert.ok([401, 503].includes(status), String(status));
    return statuses;
  }

  /** What the ledger was told meanwhile: answers as ever, or `unavailable`, and no other failure. */
  function assertHonest(): void {
    for (const [status] of ledger.takeStatuses()) {
      assert.ok([200, 204, 401, 503].includes(Number(status)), String(status));
    }
  }

  it("crashed and started again: nothing acknowledged is lost", async () => {
    for (let round = 0; round < 2; round++) {
      const restarted = three.postgres.restart("immediate");
      await neverAccepts();
      await restarted;
      await delay(FAULT_MS / 2);
    }
    assertHonest();
  });

  it("with its connections killed: they are made anew", async () => {
    for (let round = 0; round < 5; round++) {
      await runSql(
        three.postgres.superuserUrl,
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'kyros'",
      );
      await neverAccepts();
      await delay(FAULT_MS / 5);
    }
    assertHonest();
  });

  it("with its processes stopped: 503 unavailable within the bound", async () => {
    three.postgres.pause();
    try {
      await delay(FAULT_MS);
      assert.deepEqual(await neverAccepts(), [503, 503, 503]);
      const beganMs = performance.now();
      const answer = await post(three.instances[0], "/auth/login", { username: "ledger", password: "wrong" });
      assert.ok(performance.now() - beganMs < BOUND_MS);
      assert.deepEqual(
        [answer.status, ((await answer.json()) as { code: string }).code],
        [503, "unavailable"],
      );
    } finally {
      three.postgres.resume();
    }
    await eventually(async () => assert.deepEqual(await neverAccepts(), [401, 401, 401]), 20_000);
    assertHonest();
  });

  it("stopped under load: noticed and told once, then refused at once, and serving again by itself", async () => {
    const told = (index: number) =>
      three.instances[index]!.log.filter((line) => line["subject"] === "database").map(
        (line) => line["event"],
      );
    const before = [0, 1, 2].map((index) => told(index).length);
    const { access_token } = await login(three.instances[0], "ledger");
    const refusals = (): Promise<Response[]> =>
      Promise.all(
        Array.from({ length: AT_A_TIME }, (_, n) => {
          const instance = three.instances[n % 3]!;
          if (n % 10 === 0) return post(instance, "/auth/login", { username: "ledger", password: PASSWORD });
          return fetch(`${instance.url}/protected`, { headers: bearer(access_token) });
        }),
      );
    three.postgres.pause();
    try {
      const early = refusals();
      await eventually(() => {
        for (const index of [0, 1, 2]) assert.equal(told(index).length, before[index]! + 1);
      });
      for (const answer of await early) await answer.body?.cancel();
      const memory = three.instances.map(({ pid }) => residentBytes(pid));
      for (let round = 0; round < 10; round++) {
        const beganMs = performance.now();
        for (const answer of await refusals()) {
          assert.equal(answer.status, 503);
          assert.equal(answer.headers.get("retry-after"), "1");
          assert.equal(((await answer.json()) as { code: string }).code, "unavailable");
        }
        const tookMs = performance.now() - beganMs;
        assert.ok(tookMs < AT_ONCE_MS, `${AT_A_TIME} refusals took ${tookMs} ms`);
      }
      for (const [index, { pid, url }] of three.instances.entries()) {
        assert.ok(residentBytes(pid) - memory[index]! < MOST_GROWTH, "memory grew");
        const readiness = await fetch(`${url}/readyz`);
        assert.equal(readiness.status, 503);
        assert.match(await readiness.text(), /"database":\{"status":"unavailable"\}/);
      }
    } finally {
      three.postgres.resume();
    }
    await eventually(async () => {
      for (const instance of three.instances) assert.equal(await statusOf(instance, access_token), 200);
    });
    for (const index of [0, 1, 2]) {
      assert.deepEqual(told(index).slice(before[index]), ["store.degraded", "store.recovered"]);
    }
    assertHonest();
  });

  it("has every outage in the audit trail, though that lies in the database, and its state in the metrics", async () => {
    const stores = await openStores({ databaseUrl: three.postgres.url });
    try {
      for (const type of ["store.degraded", "store.recovered"] as const) {
        await eventually(async () => {
          const logged = three.instances.flatMap(({ log }) =>
            log.filter((line) => line["event"] === type && line["subject"] === "database"),
          );
          assert.ok(logged.length >= 3);
          const entries = await stores.audit.list({ type, limit: 1000 });
          assert.equal(entries.filter(({ subject }) => subject === "database").length, logged.length);
        });
      }
    } finally {
      await stores.close();
    }
    await three.createUser("root", "admin");
    const { access_token } = await login(three.instances[0], "root");
    const metrics = await fetch(`${three.instances[0].url}/metrics`, { headers: bearer(access_token) });
    assert.match(await metrics.text(), /^kyros_breaker_state\{dependency="database",state="closed"\} 1$/m);
  });

  it("and Redis, both stopped: 503 within the bound, and both are found again", async () => {
    three.redis.pause();
    three.postgres.pause();
    try {
      await delay(FAULT_MS);
      assert.deepEqual(await neverAccepts(), [503, 503, 503]);
      for (const { url } of three.instances) assert.equal((await fetch(`${url}/healthz`)).status, 200);
    } finally {
      three.redis.resume();
      three.postgres.resume();
    }
    await eventually(async () => assert.deepEqual(await neverAccepts(), [401, 401, 401]), 20_000);
    assertHonest();
  });
});

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) * 1024;
}
