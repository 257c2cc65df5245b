import assert from "node:assert/strict";
import { copyFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { sql } from "kysely";
import { Outage } from "../../src/kernel/failure.ts";
import { createSqlRevocationStore } from "../../src/stores/sql/revocation-store.ts";
import type { SqliteDatabase } from "../../src/stores/sql/sqlite.ts";
import { openSqlite } from "../../src/stores/sql/sqlite.ts";
import { eventually } from "./eventually.ts";
import { createDatabase, temporaryDirectory } from "./temporary-stores.ts";

const ANSWER_MS = 500;
const WRITER = new URL("../../src/stores/sql/sqlite-writer-thread.ts", import.meta.url);
const HUNG_DISK = new URL("./hung-disk.ts", import.meta.url).href;

describe("the thread that writes SQLite", () => {
  let directory: string;
  let remove: () => void;
  let path: string;
  let hangs: string;
  let threads: Worker[];
  let database: SqliteDatabase;
  let revocations: ReturnType<typeof createSqlRevocationStore>;
  beforeEach(async () => {
    ({ directory, remove } = temporaryDirectory());
    path = await createDatabase(directory);
    hangs = join(directory, "hangs");
    threads = [];
    database = await openSqlite(path, {
      answerMs: ANSWER_MS,
      startThread() {
        const execArgv = ["--import", `${HUNG_DISK}?while=${encodeURIComponent(hangs)}`];
        const thread = new Worker(WRITER, { execArgv });
        threads.push(thread);
        return thread;
      },
    });
    revocations = createSqlRevocationStore(database);
  });
  afterEach(async () => {
    rmSync(hangs, { force: true });
    await database.close();
    remove();
  });

  const insert = (jti: string) => sql`insert into revoked_tokens values (${jti}, 1)`;
  const commit = (jti: string) => database.db.transaction().execute((trx) => insert(jti).execute(trx));
  const isReady = () => {
    try {
      database.probe();
      return true;
    } catch (error) {
      assert.ok(error instanceof Outage);
      return false;
    }
  };
  const isRevoked = async (jti: string) => revocations.isRevoked(jti);

  it("is closed once by closes at the same time and later ones, and all of them resolve", async () => {
    await Promise.all([database.close(), database.close(), commit("late").catch(() => undefined)]);
    await database.close();
    await assert.rejects(commit("later"), Outage);
  });

  it("dies: an outage for what waits and what comes, until another is there, with nothing of what was begun", async () => {
    await commit("before");
    writeFileSync(hangs, "");
    const waits = commit("under way");
    await pause(50);
    void threads[0]!.terminate();
    await assert.rejects(waits, Outage);
    await assert.rejects(commit("at once"), Outage);
    assert.equal(isReady(), false);
    assert.equal(await isRevoked("before"), true, "reads go on");
    rmSync(hangs);
    await eventually(() => assert.equal(isReady(), true));
    assert.equal(threads.length, 2);
    await commit("after");
    assert.deepEqual(await Promise.all(["before", "under way", "at once", "after"].map(isRevoked)), [
      true,
      false,
      false,
      true,
    ]);
  });

  it("dies between two statements of a transaction: the rest of it is not run by the next", async () => {
    let second: Promise<unknown> | undefined;
    await assert.rejects(
      database.db.transaction().execute(async (trx) => {
        await insert("first").execute(trx);
        await threads[0]!.terminate();
        await eventually(() => assert.equal(isReady(), true));
        second = insert("second").execute(trx);
        await second;
      }),
      Outage,
    );
    await assert.rejects(second!, Outage);
    await commit("third");
    assert.deepEqual(await Promise.all(["first", "second", "third"].map(isRevoked)), [false, false, true]);
  });

  it("dies, and is not replaced over another file that was put in the place of the one that is read", async () => {
    copyFileSync(path, `${path}.other`);
    renameSync(`${path}.other`, path);
    await threads[0]!.terminate();
    await pause(600);
    assert.equal(threads.length, 1);
    assert.equal(isReady(), false);
    await assert.rejects(commit("elsewhere"), Outage);
  });

  it("waits for a disk that hangs: an outage for all within the bound, then at once, while reads go on", async () => {
    await commit("before");
    writeFileSync(hangs, "");
    const beganMs = performance.now();
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => commit(`waiting${n}`)));
    assert.ok(performance.now() - beganMs < 20 * ANSWER_MS, "one bound for all, not one for each");
    for (const outcome of outcomes) {
      assert.ok(outcome.status === "rejected" && outcome.reason instanceof Outage);
    }
    assert.equal(isReady(), false);
    assert.equal(await isRevoked("before"), true);
    await assert.rejects(commit("at once"), Outage);

    rmSync(hangs);
    await eventually(() => assert.equal(isReady(), true));
    assert.equal(threads.length, 1, "the same thread goes on");
    await commit("after");
    assert.equal(await isRevoked("after"), true);
    assert.equal(await isRevoked("waiting19"), false, "what had not been sent to the disk is not done later");
    assert.equal(await isRevoked("at once"), false);
  });

  it("undoes what a transaction had begun that was given up, and gives back the lock", async () => {
    await assert.rejects(
      database.db.transaction().execute(async (trx) => {
        await insert("begun").execute(trx);
        writeFileSync(hangs, "");
        // Within a transaction, `commit` fails; here it only stands for a statement that hangs.
        await sql`commit`.execute(trx).catch((error: unknown) => assert.ok(error instanceof Outage));
        await insert("half").execute(trx);
      }),
      Outage,
    );
    rmSync(hangs);
    await eventually(() => assert.equal(isReady(), true));
    assert.equal(await isRevoked("half"), false);
    const other = new DatabaseSync(path);
    other.exec("begin immediate; rollback");
    other.close();
  });

  it("closes on a disk that hangs within the bound", async () => {
    writeFileSync(hangs, "");
    await assert.rejects(commit("waiting"), Outage);
    await database.close();
    await assert.rejects(commit("later"), Outage);
  });
});
