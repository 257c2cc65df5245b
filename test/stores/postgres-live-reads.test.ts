import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import pg from "pg";
import type { Stores } from "../../src/stores/open.ts";
import { openStores } from "../../src/stores/open.ts";
import {
  SAMPLE_NOW_MS as NOW_MS,
  sampleAccount,
  sampleApiKey,
  sampleHash,
  sampleId,
  sampleSession,
} from "../../src/testing/samples.ts";
import { eventually } from "./eventually.ts";
import type { PostgresDatabases } from "./postgres-databases.ts";
import { postgresDatabases, runSql } from "./postgres-databases.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { startPostgres } from "./postgres-server.ts";

const ID = sampleId(1);
/** What is promised to users: a change anywhere is seen everywhere within this (ms). */
const PROMISE_MS = 1000;

/** Ends the connections that follow the journal, and no others. */
const CUT_LISTENERS = `
  select count(pg_terminate_backend(pid))::int as count from pg_stat_activity
  where datname = current_database() and application_name = 'kyros'
    and (query like 'listen%' or query like '%as horizon%')`;

describe("live reads over PostgreSQL", () => {
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
    await stores.accounts.create(sampleAccount(1));
    await stores.sessions.start(sampleSession(1));
    await stores.sessions.start(sampleSession(2));
    await stores.apiKeys.create(sampleApiKey(1));
    await warm();
  });
  afterEach(() => stores.close());

  /** Reads until all that is asked for on the way of a request is answered at once. */
  async function warm(): Promise<void> {
    await eventually(async () => {
      const reads = [
        stores.accounts.findById(ID),
        stores.accounts.findByUsernameKey("user1"),
        stores.sessions.findById(ID),
        stores.sessions.findById(sampleId(2)),
        stores.sessions.findBySecretHash(sampleHash("secret1")),
        stores.apiKeys.findByPublicId("public1"),
        stores.revocations.isRevoked("jti"),
      ];
      await Promise.all(reads);
      assert.ok(!reads.some((read) => read instanceof Promise), "all cached");
    });
  }

  it("see a stranger's commit of every live column in time", async () => {
    const changes: [sql: string, read: () => unknown, expected: unknown][] = [
      ["update accounts set role = 'admin'", async () => (await stores.accounts.findById(ID))?.role, "admin"],
      [
        "update accounts set disabled = 1",
        async () => (await stores.accounts.findByUsernameKey("user1"))?.disabled,
        true,
      ],
      [
        "update sessions set idle_expires_at_ms = 7",
        async () => (await stores.sessions.findById(ID))?.idleExpiresAtMs,
        7,
      ],
      [
        "update sessions set ended_at_ms = 9",
        async () => (await stores.sessions.findBySecretHash(sampleHash("secret1")))?.endedAtMs,
        9,
      ],
      [
        "update api_keys set revoked_at_ms = 5",
        async () => (await stores.apiKeys.findByPublicId("public1"))?.revokedAtMs,
        5,
      ],
      ["delete from api_keys", () => stores.apiKeys.findByPublicId("public1"), undefined],
      ["delete from accounts", () => stores.accounts.findById(ID), undefined],
      ["truncate sessions, refresh_tokens", () => stores.sessions.findById(ID), undefined],
      ["insert into revoked_tokens values ('jti', 1)", () => stores.revocations.isRevoked("jti"), true],
      ["update revoked_tokens set token_id = 'other'", () => stores.revocations.isRevoked("jti"), false],
      ["update revoked_tokens set token_id = 'third'", () => stores.revocations.isRevoked("third"), true],
      ["delete from revoked_tokens", () => stores.revocations.isRevoked("third"), false],
    ];
    for (const [sql, read, expected] of changes) {
      assert.notDeepEqual(await read(), expected, sql);
      await runSql(stores.url, sql);
      await eventually(async () => assert.deepEqual(await read(), expected, sql), PROMISE_MS);
    }
  });

  it("evict only what changed", async () => {
    const second = stores.sessions.findById(sampleId(2));
    await stores.sessions.touch([ID], NOW_MS + 5, NOW_MS + 50);
    assert.equal((await stores.sessions.findById(ID))?.lastSeenAtMs, NOW_MS + 5);
    assert.equal(stores.sessions.findById(sampleId(2)), second);
  });

  it("see a write of this instance at once, each time", async () => {
    for (let n = 1; n <= 50; n += 1) {
      await Promise.all([
        stores.accounts.update(ID, { lastLoginAtMs: n }),
        stores.sessions.reauthenticate(ID, sampleHash("secret1"), sampleHash("secret1"), n),
        stores.revocations.revoke(`jti${n}`, n),
      ]);
      assert.equal((await stores.accounts.findById(ID))?.lastLoginAtMs, n);
      assert.equal((await stores.sessions.findById(ID))?.authenticatedAtMs, n);
      assert.equal(await stores.revocations.isRevoked(`jti${n}`), true);
      assert.equal(await stores.revocations.isRevoked(`jti${n + 1}`), false);
    }
  });

  it("see a transaction that began long before others and commits after them", async () => {
    const early = new pg.Client({ connectionString: stores.url });
    await early.connect();
    await early.query("begin");
    await early.query("update sessions set ended_at_ms = 1 where id = $1", [ID]);
    for (let n = 0; n < 5; n += 1) await stores.revocations.revoke(`noise${n}`, 1);
    await warm();
    assert.equal((await stores.sessions.findById(ID))?.endedAtMs, null);
    await early.query("commit");
    await eventually(
      async () => assert.equal((await stores.sessions.findById(ID))?.endedAtMs, 1),
      PROMISE_MS,
    );
    await early.end();
  });

  it("see no change that is rolled back", async () => {
    const session = stores.sessions.findById(ID);
    await runSql(
      stores.url,
      "do $$ begin update sessions set ended_at_ms = 1; raise exception 'undone'; exception when others then null; end $$",
    );
    await stores.revocations.revoke("noise", 1);
    assert.equal(stores.sessions.findById(ID), session);
  });

  it("start afresh where the journal was cut, restored from another server or filled at once", async () => {
    const rewrites = [
      "delete from changes",
      "delete from changes; insert into changes (table_name, row_key) values ('', '')",
      "update changes set xid = '1000000000'",
      "insert into changes (table_name, row_key) select 'sessions', 'x' || n from generate_series(1, 5000) n",
    ];
    for (const [n, rewrite] of rewrites.entries()) {
      await stores.sessions.findById(ID);
      await runSql(stores.url, `begin; update sessions set ended_at_ms = ${n}; ${rewrite}; commit`);
      await eventually(
        async () => assert.equal((await stores.sessions.findById(ID))?.endedAtMs, n, rewrite),
        PROMISE_MS,
      );
    }
  });

  it("keep the journal short, and cache again after entries from another server were removed", async () => {
    await runSql(
      stores.url,
      `insert into changes (xid, noted_at, table_name, row_key) select '1000000000', now(), 'sessions', 'x' || n
      from generate_series(1, 100) n`,
    );
    await runSql(
      stores.url,
      "update changes set noted_at = now() - interval '1 hour' where xid < '1000000000'",
    );
    const opened = await openStores({ databaseUrl: stores.url });
    await eventually(async () => {
      const [row] = await runSql(stores.url, "select count(*)::int as count from changes");
      assert.ok((row!["count"] as number) <= 3, `${row!["count"]} entries are left`);
    });
    await opened.close();
    await runSql(stores.url, "insert into revoked_tokens values ('after', 1)");
    await warm();
  });

  it("lose no revocation while the connection that listens is cut again and again", async () => {
    const other = await openStores({ databaseUrl: stores.url });
    await eventually(async () =>
      assert.ok((await other.accounts.findById(ID)) === other.accounts.findById(ID)),
    );
    let cut = 0;
    for (let n = 0; n < 10; n += 1) {
      assert.equal(await stores.revocations.isRevoked(`jti${n}`), false);
      // A busy machine may not have it back yet.
      await eventually(async () => {
        const [row] = await runSql(stores.url, CUT_LISTENERS);
        cut += row!["count"] as number;
        assert.ok(cut > n, "nothing listens yet");
      });
      await other.revocations.revoke(`jti${n}`, NOW_MS);
      await eventually(
        async () => assert.equal(await stores.revocations.isRevoked(`jti${n}`), true),
        // That none is lost is the point here; the cut connection is made anew meanwhile.
        3 * PROMISE_MS,
      );
    }
    assert.ok(cut >= 10, `cut ${cut} connections`);
    await other.close();
    await warm();
  });
});
