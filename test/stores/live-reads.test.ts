import assert from "node:assert/strict";
import { once } from "node:events";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";
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
import { openTemporaryStores } from "./temporary-stores.ts";

const ID = sampleId(1);

/** More than the millisecond that a commit of another process may be seen late. */
const nextLook = () => pause(5);

describe("live reads", () => {
  let stores: Stores & { readonly path: string };
  /** Another connection that this process's stores know nothing of, as another process would have. */
  let stranger: DatabaseSync;
  beforeEach(async () => {
    stores = await openTemporaryStores();
    stranger = new DatabaseSync(stores.path);
    await stores.accounts.create(sampleAccount(1));
    await stores.sessions.start(sampleSession(1));
    await stores.sessions.start(sampleSession(2));
    await stores.apiKeys.create(sampleApiKey(1));
    await nextLook();
  });
  afterEach(async () => {
    stranger.close();
    await stores.close();
  });

  it("answer synchronously, and without reading a row twice", () => {
    for (const find of [
      () => stores.accounts.findById(ID),
      () => stores.sessions.findById(ID),
      () => stores.apiKeys.findByPublicId("public1"),
    ]) {
      const first = find();
      assert.ok(first !== undefined && !(first instanceof Promise));
      assert.equal(find(), first);
      assert.ok(Object.isFrozen(first));
    }
    assert.equal(stores.accounts.findByUsernameKey("user1"), stores.accounts.findById(ID));
    assert.equal(stores.sessions.findBySecretHash(sampleHash("secret1")), stores.sessions.findById(ID));
    assert.equal(stores.revocations.isRevoked("jti"), false);
  });

  it("see a stranger's commit after a millisecond, for every live column", async () => {
    const changes: [sql: string, read: () => unknown, expected: unknown][] = [
      [
        "update accounts set role = 'admin'",
        () => (stores.accounts.findById(ID) as { role: string }).role,
        "admin",
      ],
      [
        "update accounts set disabled = 1",
        () => (stores.accounts.findById(ID) as { disabled: boolean }).disabled,
        true,
      ],
      [
        "update sessions set idle_expires_at_ms = 7",
        () => (stores.sessions.findById(ID) as { idleExpiresAtMs: number }).idleExpiresAtMs,
        7,
      ],
      [
        "update sessions set ended_at_ms = 9",
        () => (stores.sessions.findBySecretHash(sampleHash("secret1")) as { endedAtMs: number }).endedAtMs,
        9,
      ],
      [
        "update api_keys set revoked_at_ms = 5",
        () => (stores.apiKeys.findByPublicId("public1") as { revokedAtMs: number }).revokedAtMs,
        5,
      ],
      [`delete from api_keys where id = '${ID}'`, () => stores.apiKeys.findByPublicId("public1"), undefined],
      ["delete from accounts", () => stores.accounts.findById(ID), undefined],
      ["delete from sessions", () => stores.sessions.findById(ID), undefined],
      ["insert into revoked_tokens values ('jti', 1)", () => stores.revocations.isRevoked("jti"), true],
      ["update revoked_tokens set token_id = 'other'", () => stores.revocations.isRevoked("jti"), false],
      ["update revoked_tokens set token_id = 'third'", () => stores.revocations.isRevoked("third"), true],
      ["replace into revoked_tokens values ('jti', 2)", () => stores.revocations.isRevoked("jti"), true],
      ["delete from revoked_tokens", () => stores.revocations.isRevoked("jti"), false],
    ];
    for (const [sql, read, expected] of changes) {
      assert.notDeepEqual(read(), expected, sql);
      stranger.exec(sql);
      await nextLook();
      assert.deepEqual(read(), expected, sql);
    }
  });

  it("evict only what changed: a touch of one session leaves the others, and a foreign table all", async () => {
    const [first, second] = [stores.sessions.findById(ID), stores.sessions.findById(sampleId(2))];
    await stores.sessions.touch([ID], NOW_MS + 5, NOW_MS + 50);
    assert.notEqual(stores.sessions.findById(ID), first);
    assert.equal(stores.sessions.findById(sampleId(2)), second);
    stranger.exec("create table events (id integer); insert into events values (1)");
    await nextLook();
    assert.equal(stores.sessions.findById(sampleId(2)), second);
  });

  it("see a write of this process within the same turn, through whichever stores it went", async () => {
    const neighbour = await openStores({ databaseUrl: `sqlite:${stores.path}` });
    try {
      stores.sessions.findById(ID);
      neighbour.sessions.findById(ID);
      await stores.sessions.touch([ID], NOW_MS + 1, NOW_MS + 11);
      for (const { sessions } of [stores, neighbour]) {
        assert.equal((sessions.findById(ID) as { lastSeenAtMs: number }).lastSeenAtMs, NOW_MS + 1);
      }
      await neighbour.sessions.end(ID, sampleId(0), NOW_MS + 2);
      for (const { sessions } of [neighbour, stores]) {
        assert.equal((sessions.findById(ID) as { endedAtMs: number }).endedAtMs, NOW_MS + 2);
      }
    } finally {
      await neighbour.close();
    }
  });

  it("see at once what another thread of this process has acknowledged", async () => {
    const thread = new Worker(new URL("./revoking-thread.ts", import.meta.url), {
      workerData: { path: stores.path },
    });
    try {
      await once(thread, "message");
      for (let n = 0; n < 50; n += 1) {
        assert.equal(stores.revocations.isRevoked(`jti${n}`), false);
        const acknowledged = once(thread, "message");
        thread.postMessage(`jti${n}`);
        await acknowledged;
        assert.equal(stores.revocations.isRevoked(`jti${n}`), true);
      }
    } finally {
      await thread.terminate();
    }
  });

  it("lose nothing where more changes at once than they follow one by one", async () => {
    stores.sessions.findById(ID);
    stranger.exec(`
      begin;
      update sessions set ended_at_ms = 3;
      insert into revoked_tokens
        with recursive n(i) as (select 1 union all select i + 1 from n where i < 6000) select 'jti' || i, 1 from n;
      commit`);
    await nextLook();
    assert.equal((stores.sessions.findById(ID) as { endedAtMs: number }).endedAtMs, 3);
    const { entries } = stranger.prepare("select count(*) as entries from changes").get() as {
      entries: number;
    };
    assert.ok(entries <= 4096 + 1024, `the journal keeps ${entries} entries`);
  });

  it("lose nothing around the number of changes that they follow one by one", async () => {
    const end = stranger.prepare("update sessions set ended_at_ms = ? where id = ?");
    const noise = stranger.prepare("insert into revoked_tokens values (?, 1)");
    let serial = 0;
    for (const others of [1, 255, 256, 257, 258]) {
      stores.sessions.findById(ID);
      stranger.exec("begin");
      for (let n = 0; n < others; n += 1) noise.run(`noise${serial++}`);
      end.run(others, ID);
      stranger.exec("commit");
      await nextLook();
      assert.equal((stores.sessions.findById(ID) as { endedAtMs: number }).endedAtMs, others);
    }
  });

  it("start afresh where the journal was cut or rewritten", async () => {
    for (const [n, rewrite] of [
      "delete from changes",
      "delete from changes where seq < (select max(seq) from changes)",
      "delete from changes; update sqlite_sequence set seq = 0 where name = 'changes'",
      "update changes set seq = seq + 100000",
    ].entries()) {
      stores.sessions.findById(ID);
      stranger.exec(`begin; update sessions set ended_at_ms = ${n}; ${rewrite}; commit`);
      await nextLook();
      assert.equal((stores.sessions.findById(ID) as { endedAtMs: number }).endedAtMs, n, rewrite);
    }
  });

  it("keep no change that was rolled back, and see none that is not committed", async () => {
    const session = stores.sessions.findById(ID);
    stranger.exec("begin immediate; update sessions set ended_at_ms = 1");
    await nextLook();
    assert.equal(stores.sessions.findById(ID), session);
    stranger.exec("rollback");
    await nextLook();
    assert.equal(stores.sessions.findById(ID), session);
    stranger.exec("update sessions set ended_at_ms = 2");
    await nextLook();
    assert.equal((stores.sessions.findById(ID) as { endedAtMs: number }).endedAtMs, 2);
  });

  it("serve a row that has left the cache for others", async () => {
    const insert = stranger.prepare("insert into revoked_tokens values (?, 1)");
    stranger.exec("begin");
    for (let n = 0; n < 12_000; n += 1) insert.run(`jti${n}`);
    stranger.exec("commit");
    await nextLook();
    for (let n = 0; n < 24_000; n += 1) assert.equal(stores.revocations.isRevoked(`jti${n}`), n < 12_000);
    assert.equal(stores.revocations.isRevoked("jti1"), true);
    assert.equal(stores.revocations.isRevoked("jti23999"), false);
  });
});
