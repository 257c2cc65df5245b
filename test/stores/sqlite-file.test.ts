import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs, { chmodSync, chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import { sql } from "kysely";
import { DatabaseFault } from "../../src/stores/database-fault.ts";
import { openStores } from "../../src/stores/open.ts";
import { openSqlite } from "../../src/stores/sql/sqlite.ts";
import { createDatabase, temporaryDirectory } from "./temporary-stores.ts";

/** The account that a superuser's tests turn to where a missing permission has to count (nobody). */
const UNPRIVILEGED_ID = 65_534;

const OPENER = `
  import { openStores } from ${JSON.stringify(join(import.meta.dirname, "../../src/stores/open.ts"))};
  try { await openStores({ databaseUrl: process.argv[1] }); console.log("opened"); }
  catch (error) { console.log(error.name + ": " + error.message); }`;

/** Opens a database as a user without special rights and returns what came of it. */
function openUnprivileged(databaseUrl: string): string {
  const isRoot = process.getuid?.() === 0;
  const result = spawnSync(process.execPath, ["--input-type=module", "--eval", OPENER, databaseUrl], {
    encoding: "utf8",
    ...(isRoot && { uid: UNPRIVILEGED_ID, gid: UNPRIVILEGED_ID }),
  });
  assert.equal(result.status, 0, result.stderr);
  return result.stdout.trim();
}

describe("a SQLite file", () => {
  let directory: string;
  let remove: () => void;
  beforeEach(() => {
    ({ directory, remove } = temporaryDirectory());
  });
  afterEach(() => remove());

  const modeOf = (path: string) => statSync(path).mode & 0o777;
  const isFault = (message: RegExp) => (error: unknown) => {
    assert.ok(error instanceof DatabaseFault, String(error));
    assert.match(error.message, message);
    assert.ok(!error.message.includes("\n"));
    return true;
  };

  it("is its owner's alone, with the directory and the logs that come with it", async () => {
    const before = process.umask(0);
    const path = join(directory, "data", "deep", "kyros.db");
    const stores = await openStores({ databaseUrl: `sqlite:${path}` });
    process.umask(before);
    await stores.migrate();
    for (const suffix of ["", "-wal", "-shm"]) assert.equal(modeOf(path + suffix), 0o600, suffix);
    for (const made of ["data", "data/deep"]) assert.equal(modeOf(join(directory, made)), 0o700, made);
    await stores.close();
  });

  it("is closed to others where it was open to them; its directory stays as it was", async () => {
    const path = await createDatabase(directory);
    chmodSync(path, 0o664);
    chmodSync(directory, 0o755);
    await (await openStores({ databaseUrl: `sqlite:${path}` })).close();
    assert.equal(modeOf(path), 0o600);
    assert.equal(modeOf(directory), 0o755);
  });

  it("has its write-ahead log folded in when it is closed, in whatever order", async () => {
    const path = await createDatabase(directory);
    const [first, second] = [
      await openStores({ databaseUrl: `sqlite:${path}` }),
      await openStores({ databaseUrl: `sqlite:${path}` }),
    ];
    await first.revocations.revoke("jti", 1);
    await first.close();
    assert.equal(await second.revocations.isRevoked("jti"), true);
    await second.close();
    await second.close();
    assert.equal(statSync(`${path}-wal`, { throwIfNoEntry: false }), undefined);
  });

  it("is written durably, and trusted no more than it has to be", async () => {
    const database = await openSqlite(await createDatabase(directory));
    const settings = {
      journal_mode: "wal",
      synchronous: 2,
      foreign_keys: 1,
      trusted_schema: 0,
      cell_size_check: 1,
    };
    for (const [name, value] of Object.entries(settings)) {
      const { rows } = await sql.raw<Record<string, unknown>>(`pragma ${name}`).execute(database.db);
      assert.equal(rows[0]?.[name], value, name);
    }
    await database.close();
  });

  it("is opened by SQLite alone once it exists: closing it otherwise would drop the locks on it", async (context) => {
    const path = await createDatabase(directory);
    const opened = context.mock.method(fs, "openSync");
    syncBuiltinESMExports();
    try {
      await (await openStores({ databaseUrl: `sqlite:${path}` })).close();
      assert.ok(opened.mock.callCount() > 0);
      for (const call of opened.mock.calls)
        assert.equal((call.error as NodeJS.ErrnoException)?.code, "EEXIST");
    } finally {
      opened.mock.restore();
      syncBuiltinESMExports();
    }
  });

  it("is refused in one line where it is no database, and left as it is", async () => {
    const path = join(directory, "notes.txt");
    const notes = "these are notes and no database\n".repeat(400);
    writeFileSync(path, notes);
    await assert.rejects(openStores({ databaseUrl: `sqlite:${path}` }), isFault(/is not a SQLite database/));
    assert.equal(readFileSync(path, "utf8"), notes);
  });

  it("is refused in one line where it is damaged", async () => {
    const path = await createDatabase(directory);
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0xff, 100, 4096));
    await assert.rejects(openStores({ databaseUrl: `sqlite:${path}` }), isFault(/is damaged/));
  });

  it("is refused in one line where its path is a directory or leads through a file", async () => {
    mkdirSync(join(directory, "kyros.db"));
    writeFileSync(join(directory, "file"), "");
    const refused = isFault(/cannot open the database .* for writing/);
    await assert.rejects(openStores({ databaseUrl: `sqlite:${join(directory, "kyros.db")}` }), refused);
    await assert.rejects(
      openStores({ databaseUrl: `sqlite:${join(directory, "file", "kyros.db")}` }),
      refused,
    );
    await assert.rejects(openStores({ databaseUrl: `sqlite:${join(directory, "nul\0.db")}` }), refused);
  });

  it("is refused in one line where its directory or the file itself is not writable", async () => {
    const path = await createDatabase(directory);
    const refused = /^DatabaseFault: cannot open the database .* for writing \(.*\): name a path/;
    chmodSync(path, 0o444);
    chmodSync(directory, 0o555);
    assert.match(openUnprivileged(`sqlite:${join(directory, "new.db")}`), refused);
    assert.match(openUnprivileged(`sqlite:${join(directory, "sub", "new.db")}`), refused);
    assert.match(openUnprivileged(`sqlite:${path}`), refused);
    assert.equal(statSync(join(directory, "new.db"), { throwIfNoEntry: false }), undefined);
    // SQLite by itself would open such a file for reading, and the first write would fail.
    chmodSync(directory, 0o777);
    chmodSync(path, 0o400);
    if (process.getuid?.() === 0) chownSync(path, UNPRIVILEGED_ID, UNPRIVILEGED_ID);
    assert.match(openUnprivileged(`sqlite:${path}`), refused);
  });

  it("is refused where a newer version has migrated it", async () => {
    const path = await createDatabase(directory);
    const database = new DatabaseSync(path);
    database.exec("insert into kysely_migration values ('9999-future', '2099-01-01T00:00:00.000Z')");
    await database.close();
    const stores = await openStores({ databaseUrl: `sqlite:${path}` });
    try {
      await assert.rejects(stores.migrate(), isFault(/9999-future.*run a newer version/));
      await assert.rejects(stores.pendingMigrations(), isFault(/9999-future/));
    } finally {
      await stores.close();
    }
  });

  it("is served beside a newer version that has only expanded it, and says that nothing is to be done", async () => {
    const path = await createDatabase(directory);
    const database = new DatabaseSync(path);
    database.exec("alter table accounts add column display_name text");
    database.exec("insert into kysely_migration values ('9999-expand-names', '2099-01-01T00:00:00.000Z')");
    const stores = await openStores({ databaseUrl: `sqlite:${path}` });
    try {
      assert.deepEqual(await stores.migrate(), []);
      assert.deepEqual(await stores.pendingMigrations(), []);
      assert.deepEqual(await stores.accounts.list({ limit: 1 }), []);
      // A version that lacks one of ours is no newer one, whatever it has beside.
      database.exec("delete from kysely_migration where name = '0002-change-journal'");
      await assert.rejects(stores.migrate(), isFault(/9999-expand-names.*run a newer version/));
    } finally {
      await stores.close();
      await database.close();
    }
  });

  it("refuses values that are none of the domain's, whoever writes them", async () => {
    const path = await createDatabase(directory);
    const database = new DatabaseSync(path);
    database.exec(`
      insert into accounts (id, username, username_key, role, disabled, created_at_ms, password_changed_at_ms)
      values ('1', 'a', 'a', 'user', 0, 1, 1)`);
    for (const change of [
      "role = 'root'",
      "disabled = 2",
      "created_at_ms = 'yesterday'",
      "username = null",
    ]) {
      assert.throws(() => database.exec(`update accounts set ${change}`), /constraint|cannot store/, change);
    }
    await database.close();
  });
});
