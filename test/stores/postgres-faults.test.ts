import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import pg from "pg";
import { systemClock } from "../../src/kernel/clock.ts";
import { Outage } from "../../src/kernel/failure.ts";
import { withinDeadline } from "../../src/stores/deadline.ts";
import type { Stores } from "../../src/stores/open.ts";
import { openStores } from "../../src/stores/open.ts";
import { ask } from "../../src/stores/sql/postgres-connection.ts";
import {
  SAMPLE_NOW_MS as NOW_MS,
  sampleAccount,
  sampleId,
  sampleSession,
} from "../../src/testing/samples.ts";
import { eventually } from "./eventually.ts";
import { assertOutages, everyCall, fill } from "./every-call.ts";
import { holdLock } from "./hold-lock.ts";
import type { PostgresDatabases } from "./postgres-databases.ts";
import { postgresDatabases, runSql } from "./postgres-databases.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { startPostgres } from "./postgres-server.ts";

const ID = sampleId(1);
/** Every call ends within 5 s, as `openPostgres` says; the rest is for a machine that does other things too (ms). */
const BOUND_MS = 8000;
/** Without a wait for anything but this process and its machine (ms). */
const AT_ONCE_MS = 1000;

describe("a PostgreSQL that fails", () => {
  let server: PostgresServer;
  let databases: PostgresDatabases;
  let stores: Stores & { readonly url: string };
  before(async () => {
    server = await startPostgres();
    databases = postgresDatabases(server);
  });
  after(() => server.stop());
  beforeEach(async () => {
    stores = await databases.open();
    await fill(stores);
  });
  afterEach(() => stores.close());

  const withinBound = <T>(work: () => Promise<T>): Promise<T> => withinDeadline(work(), BOUND_MS);

  it("is an outage of every method of every port once it is closed, cached or not", async () => {
    const closed = await databases.open();
    await fill(closed);
    await closed.close();
    await assertOutages(everyCall(closed));
    await assertOutages([
      ["health", () => closed.health()],
      ["migrate", () => closed.migrate()],
      ["pendingMigrations", () => closed.pendingMigrations()],
    ]);
  });

  it("is an outage of all of them within 5 s while it is frozen, caches included, and over when it is back", async () => {
    server.pause();
    try {
      await eventually(async () => assert.equal(isCached(stores), false), 2000);
      await withinBound(() => assertOutages(everyCall(stores), { atOnce: true }));
      await withinBound(() => assertOutages([["health", () => stores.health()]]));
      await withinBound(() => assert.rejects(openStores({ databaseUrl: stores.url }), Outage));
    } finally {
      server.resume();
    }
    await eventually(() => stores.health());
    await eventually(async () => assert.equal((await stores.sessions.findById(ID))?.id, ID));
    await eventually(async () => assert.equal(isCached(stores), true));
  });

  it("answers at once while it is frozen, once that is noticed; tells it once each way, and recovers by itself", async (t) => {
    const told: string[] = [];
    const watched = await openStores({
      databaseUrl: stores.url,
      outages: {
        clock: systemClock,
        events: { record: ({ name, subject }) => void told.push(`${name} ${subject}`) },
        onFailure: (error) => assert.fail(String(error)),
      },
    });
    t.after(() => watched.close());
    await eventually(async () => assert.equal(isCached(watched), true));
    const waiting: Promise<unknown>[] = [];
    server.pause();
    try {
      for (let i = 0; i < 200; i++) waiting.push(watched.sessions.end(ID, sampleId(0), 1));
      const ended = Promise.allSettled(waiting);
      await withinBound(() => eventually(() => assert.equal(watched.breaker?.state(), "open")));
      assert.equal(isCached(watched), false);
      // What was under way has ended with it.
      await withinDeadline(ended, AT_ONCE_MS);
      for (const one of await ended) assert.ok(one.status === "rejected" && one.reason instanceof Outage);
      for (let round = 0; round < 5; round++) {
        await withinDeadline(
          assertOutages(
            Array.from({ length: 200 }, () => ["end", () => watched.sessions.end(ID, sampleId(0), 1)]),
          ),
          AT_ONCE_MS,
        );
        await assertOutages([["health", () => watched.health()]]);
        await assertOutages([["findById", async () => watched.sessions.findById(ID)]]);
      }
      assert.deepEqual(told, ["store.degraded database"]);
    } finally {
      server.resume();
    }
    await eventually(() => watched.health(), 5000);
    await eventually(async () => assert.equal(isCached(watched), true), 5000);
    assert.deepEqual(told, ["store.degraded database", "store.recovered database"]);
    assert.equal(watched.breaker?.state(), "closed");
  });

  it("is not taken to be away where many calls wait for a lock, and the pool for them", async () => {
    const release = holdLock(stores.url, "lock table sessions in access exclusive mode");
    await release.held;
    const calls = Array.from({ length: 50 }, () => stores.sessions.end(ID, sampleId(0), 1));
    for (const one of await Promise.allSettled(calls)) {
      assert.ok(one.status === "rejected" && one.reason instanceof Outage);
    }
    assert.deepEqual(stores.breaker?.counts(), { failures: 0, openings: 0 });
    assert.equal((await stores.accounts.findById(ID))?.id, ID);
    await release.end();
    assert.equal((await stores.sessions.findById(ID))?.id, ID);
  });

  it("serves nothing from before a crash, and everything again after it", async () => {
    await stores.revocations.revoke("before", NOW_MS);
    await server.restart("immediate");
    await eventually(() => stores.health());
    assert.equal(await stores.revocations.isRevoked("before"), true);
    assert.equal((await stores.accounts.update(ID, { email: "new@example.org" })).kind, "updated");
    assert.equal((await stores.accounts.findById(ID))?.email, "new@example.org");
  });

  it("keeps each write that was acknowledged before a crash", async () => {
    const acknowledged: string[] = [];
    const writing = Promise.allSettled(
      Array.from({ length: 300 }, async (_, n) => {
        await stores.revocations.revoke(`jti${n}`, NOW_MS);
        acknowledged.push(`jti${n}`);
      }),
    );
    await eventually(async () => assert.ok(acknowledged.length > 20));
    await server.restart("immediate");
    const failures = (await writing).filter((one) => one.status === "rejected");
    for (const { reason } of failures as PromiseRejectedResult[])
      assert.ok(reason instanceof Outage, `${reason}`);
    await eventually(() => stores.health());
    for (const jti of acknowledged) assert.equal(await stores.revocations.isRevoked(jti), true, jti);
  });

  it("costs the calls under way an outage where backends are ended, and no more", async () => {
    const calls = Array.from({ length: 30 }, (_, n) =>
      stores.accounts.update(ID, { lastLoginAtMs: n }).then(
        () => "updated",
        (error: unknown) => error,
      ),
    );
    await runSql(
      stores.url,
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'kyros'",
    );
    for (const outcome of await Promise.all(calls))
      assert.ok(outcome === "updated" || outcome instanceof Outage);
    await eventually(async () =>
      assert.equal((await stores.accounts.update(ID, { email: null })).kind, "updated"),
    );
    assert.equal((await stores.accounts.findById(ID))?.email, null);
  });

  it("ends a statement that waits for a lock, and the connection of a transaction that idles", async () => {
    const release = holdLock(stores.url, "lock table sessions in access exclusive mode");
    await release.held;
    await withinBound(() => assert.rejects(stores.sessions.end(ID, sampleId(0), 1), Outage));
    await release.end();
    assert.equal(await stores.sessions.end(ID, sampleId(0), 1), true);
  });

  it("is an outage in time where nothing listens, and its URL is never told", async () => {
    const dead = await startPostgres();
    await dead.stop();
    for (const url of [dead.url, dead.url.replace("127.0.0.1", "host.invalid")]) {
      const error = await withinBound(() =>
        openStores({ databaseUrl: url }).catch((reason: unknown) => reason),
      );
      assert.ok(error instanceof Outage, `${error}`);
      assert.ok(!JSON.stringify([error.message, String(error.cause), error]).includes("ss w0rd"));
    }
  });

  it("is no outage where only this process was stopped: the answer that lies in the socket counts", async () => {
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    try {
      const asked = ask<{ answer: number }>(client, { text: "select 42 as answer", withinMs: 100 });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
      assert.equal((await asked).rows[0]?.answer, 42);
    } finally {
      await client.end();
    }
  });

  it("is no outage where this process was stopped while it opened a connection", async () => {
    const opening = openStores({ databaseUrl: stores.url });
    await new Promise((resolve) => setImmediate(resolve));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2500);
    await (await opening).close();
  });

  it("leaves a refused value a plain error, without the row that it met", async () => {
    const error = await stores.sessions.start(sampleSession(1)).catch((reason: unknown) => reason);
    assert.ok(error instanceof Error && !(error instanceof Outage));
    assert.equal(Reflect.get(error, "code"), "23505");
    assert.deepEqual(Object.keys(error), ["code"]);
    assert.ok(!error.message.includes(ID), error.message);
    await stores.accounts.create(sampleAccount(7));
  });
});

function isCached(stores: Stores): boolean {
  const found = stores.sessions.findById(ID);
  if (!(found instanceof Promise)) return true;
  found.catch(() => undefined);
  return false;
}
