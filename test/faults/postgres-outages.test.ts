import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../stores/eventually.ts";
import { runSql } from "../stores/postgres-databases.ts";
import { WITHOUT_REDIS } from "../stores/redis-server.ts";
import type { Ledger } from "./ledger.ts";
import { openLedger } from "./ledger.ts";
import type { ThreeInstances, Tokens } from "./three-instances.ts";
import { bearer, login, post, startThreeInstances, statusOf } from "./three-instances.ts";

/** Every call to a database that does not answer ends within 5 s, and a request may make two, one after the other; the rest
 * is for a machine that does other things too (ms). */
const BOUND_MS = 20_000;
const FAULT_MS = 2000;

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
