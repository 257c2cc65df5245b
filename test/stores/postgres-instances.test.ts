import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createMemoryBus } from "../../src/stores/memory/bus.ts";
import { openStores } from "../../src/stores/open.ts";
import { openPostgres } from "../../src/stores/sql/postgres.ts";
import { createSqlRevocationStore } from "../../src/stores/sql/revocation-store.ts";
import { SAMPLE_NOW_MS as NOW_MS } from "../../src/testing/samples.ts";
import { eventually } from "./eventually.ts";
import { startOtherProcess } from "./other-process.ts";
import type { PostgresDatabases } from "./postgres-databases.ts";
import { postgresDatabases, runSql } from "./postgres-databases.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { startPostgres } from "./postgres-server.ts";

/** What is promised: a change anywhere is seen everywhere within this (ms). */
const PROMISE_MS = 1000;
/** A hint comes at once; the heartbeat alone would take 125 ms on average (ms). */
const HINTED_MS = 100;

describe("instances over one PostgreSQL", () => {
  let server: PostgresServer;
  let databases: PostgresDatabases;
  let url: string;
  before(async () => {
    server = await startPostgres();
    databases = postgresDatabases(server);
  });
  after(() => server.stop());
  beforeEach(async () => {
    url = await databases.create();
  });

  /** An instance whose clock a test moves, and its revocations. */
  async function openWithClock(options: { bus?: ReturnType<typeof createMemoryBus> } = {}) {
    const clock = { aheadMs: 0 };
    const database = await openPostgres(url, {
      monotonicMs: () => performance.now() + clock.aheadMs,
      ...options,
    });
    const revocations = createSqlRevocationStore(database);
    await eventually(async () => {
      await revocations.isRevoked("warm");
      assert.equal(revocations.isRevoked("warm"), false);
    });
    return { clock, database, revocations };
  }

  it("trust no cache of more than 750 ms ago, and ask the database until they have caught up", async () => {
    const { clock, database, revocations } = await openWithClock();
    assert.equal(revocations.isRevoked("warm"), false);
    clock.aheadMs += 750;
    const asked = revocations.isRevoked("warm");
    assert.ok(asked instanceof Promise);
    assert.equal(await asked, false);
    await eventually(async () => assert.equal(revocations.isRevoked("warm"), false));
    await database.close();
  });

  it("refuse what was revoked while their process was stopped, with the first answer after it", async () => {
    const stores = await openStores({ databaseUrl: url });
    const other = await startOtherProcess(url);
    try {
      await eventually(async () => {
        await other.call(["revocations", "isRevoked", "jti"]);
        await other.call(["revocations", "isRevoked", "jti"]);
      });
      other.signal("SIGSTOP");
      await stores.revocations.revoke("jti", NOW_MS);
      const answer = other.call(["revocations", "isRevoked", "jti"]);
      await sleep(PROMISE_MS);
      other.signal("SIGCONT");
      assert.deepEqual(await answer, [true]);
    } finally {
      await other.stop();
      await stores.close();
    }
  });

  it("hear of each other's revocations by NOTIFY, well before the heartbeat", async () => {
    const [first, second] = [await openWithClock(), await openWithClock()];
    assert.ok((await medianDelayMs(first.revocations, second.revocations)) < HINTED_MS);
    await Promise.all([first.database.close(), second.database.close()]);
  });

  it("hear of them by a bus where NOTIFY is lost", async () => {
    await runSql(url, "alter table revoked_tokens disable trigger user");
    await runSql(
      url,
      `create function note_silently() returns trigger language plpgsql as $$ begin
        insert into changes (table_name, row_key) values ('revoked_tokens', new.token_id); return null; end $$;
      create trigger silent after insert on revoked_tokens for each row execute function note_silently()`,
    );
    const bus = createMemoryBus();
    const [first, second] = [await openWithClock({ bus }), await openWithClock({ bus })];
    assert.ok((await medianDelayMs(first.revocations, second.revocations)) < HINTED_MS);
    await Promise.all([first.database.close(), second.database.close()]);
  });

  it("hear of them by the heartbeat alone within the promise", async () => {
    await runSql(url, "alter table revoked_tokens disable trigger user");
    const { database, revocations } = await openWithClock();
    assert.equal(await revocations.isRevoked("jti"), false);
    await runSql(
      url,
      "insert into revoked_tokens values ('jti', 1); insert into changes (table_name, row_key) values ('revoked_tokens', 'jti')",
    );
    await eventually(async () => assert.equal(await revocations.isRevoked("jti"), true), PROMISE_MS);
    await database.close();
  });
});

type Revocations = ReturnType<typeof createSqlRevocationStore>;

/** The median over 15 revocations: one slow turn of a busy machine says nothing. */
async function medianDelayMs(writer: Revocations, reader: Revocations): Promise<number> {
  const delaysMs: number[] = [];
  for (let n = 0; n < 15; n += 1) {
    assert.equal(await reader.isRevoked(`jti${n}`), false);
    await writer.revoke(`jti${n}`, NOW_MS);
    const beganAtMs = performance.now();
    await eventually(async () => assert.equal(await reader.isRevoked(`jti${n}`), true), PROMISE_MS);
    delaysMs.push(performance.now() - beganAtMs);
  }
  return delaysMs.sort((a, b) => a - b)[7]!;
}
