import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import type { CompiledQuery } from "kysely";
import { versionOf } from "../../src/kernel/read-version.ts";
import { createJournalReads } from "../../src/stores/sql/journal-reads.ts";

interface Row {
  readonly id: string;
  readonly name: string;
  readonly version: number;
}

/** Reads whose database answers when it is told to, with what it held when it was asked. */
function createSlowReads() {
  const asked: { value: string; row: unknown; answer(): Promise<void>; fail(): Promise<void> }[] = [];
  const database = new Map<string, unknown>();
  const state = { isFresh: true };
  const reads = createJournalReads({
    isFresh: () => state.isFresh,
    find(_query, value) {
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      const row = database.get(value);
      const turn = () => new Promise<void>((done) => setImmediate(done));
      asked.push({
        value,
        row,
        answer() {
          resolve(row);
          return turn();
        },
        fail() {
          reject(new Error("outage"));
          return turn();
        },
      });
      return promise;
    },
  });
  const query = {} as CompiledQuery<Row>;
  const rows = reads.entities<Row, Row>({
    table: "sessions",
    byId: query,
    byKey: query,
    fromRow: (row) => ({ ...row }),
    keyOf: (row) => row.name,
  });
  const isRevoked = reads.members("revoked_tokens", query);
  return { asked, database, state, reads, rows, isRevoked };
}

describe("live reads that follow a journal", () => {
  let slow: ReturnType<typeof createSlowReads>;
  const write = (version: number) => {
    const row = { id: "1", name: "ada", version };
    slow.database.set("1", row).set("ada", row);
  };
  beforeEach(() => {
    slow = createSlowReads();
    write(1);
  });

  async function read(find: () => unknown): Promise<unknown> {
    const found = find();
    assert.ok(found instanceof Promise, "asks the database");
    await slow.asked.at(-1)!.answer();
    return found;
  }

  it("answer at once what they know, by id and by key, and ask again for what was evicted", async () => {
    const first = await read(() => slow.rows.findById("1"));
    assert.equal(slow.rows.findById("1"), first);
    assert.equal(slow.rows.findByKey("ada"), first);
    assert.ok(Object.isFrozen(first));
    write(2);
    slow.reads.evict("sessions", "1");
    assert.deepEqual(await read(() => slow.rows.findByKey("ada")), { id: "1", name: "ada", version: 2 });
    slow.reads.evictAll();
    assert.ok(slow.rows.findById("1") instanceof Promise);
  });

  it("tell by their version that what they found may have changed, and that they cannot know", async () => {
    const version = versionOf([slow.rows.findById, slow.isRevoked]);
    const before = version();
    assert.equal(typeof before, "number");
    await read(() => slow.rows.findById("1"));
    slow.reads.evict("audit_events", "1");
    assert.equal(version(), before, "a table that nobody reads here");
    const seen = new Set([before]);
    for (const change of [
      () => slow.reads.evict("sessions", "never read"),
      () => slow.reads.evict("revoked_tokens", "jti"),
      () => slow.reads.evictAll(),
    ]) {
      change();
      assert.ok(!seen.has(version()));
      seen.add(version());
    }
    slow.state.isFresh = false;
    assert.equal(version(), undefined);
  });

  it("keep nothing that was read while its eviction passed, however the row was asked for", async () => {
    for (const [value, find] of [
      ["1", () => slow.rows.findById("1")],
      ["ada", () => slow.rows.findByKey("ada")],
    ] as const) {
      for (const evict of [() => slow.reads.evict("sessions", "1"), () => slow.reads.evictAll()]) {
        write(1);
        const early = find();
        assert.equal(slow.asked.at(-1)!.value, value);
        write(2);
        evict();
        await slow.asked.at(-1)!.answer();
        assert.equal(((await early) as Row).version, 1, "was asked before the change");
        assert.equal(((await read(find)) as Row).version, 2, "nothing of before was kept");
        slow.reads.evict("sessions", "1");
      }
    }
  });

  it("keep the later of two reads, whichever is answered first", async () => {
    const early = slow.rows.findById("1");
    write(2);
    slow.reads.evict("sessions", "1");
    const late = slow.rows.findById("1");
    const [earlyAnswer, lateAnswer] = slow.asked;
    await lateAnswer!.answer();
    await earlyAnswer!.answer();
    assert.equal(((await early) as Row).version, 1);
    assert.equal(((await late) as Row).version, 2);
    assert.equal((slow.rows.findById("1") as Row).version, 2);
  });

  it("keep a row that is read while others are evicted", async () => {
    const found = slow.rows.findById("1");
    slow.reads.evict("sessions", "2");
    slow.reads.evict("accounts", "1");
    await slow.asked[0]!.answer();
    assert.equal(slow.rows.findById("1"), await found);
  });

  it("keep nothing of a read during which more was evicted than is noted", async () => {
    void slow.rows.findById("1");
    slow.reads.evict("sessions", "1");
    for (let n = 0; n < 10_001; n += 1) slow.reads.evict("sessions", `other${n}`);
    await slow.asked[0]!.answer();
    assert.ok(slow.rows.findById("1") instanceof Promise);
  });

  it("remember that a key is absent until it is inserted, also while it is being looked for", async () => {
    assert.equal(await read(() => slow.isRevoked("jti")), false);
    assert.equal(slow.isRevoked("jti"), false);
    slow.database.set("jti", {});
    slow.reads.evict("revoked_tokens", "jti");
    assert.equal(await read(() => slow.isRevoked("jti")), true);

    const early = slow.isRevoked("later");
    slow.database.set("later", {});
    slow.reads.evict("revoked_tokens", "later");
    await slow.asked.at(-1)!.answer();
    assert.equal(await early, false);
    assert.equal(await read(() => slow.isRevoked("later")), true);
  });

  it("remember no row as absent, and no key of a length that nobody issues", async () => {
    assert.equal(await read(() => slow.rows.findById("2")), undefined);
    assert.equal(await read(() => slow.rows.findById("2")), undefined);
    const long = "x".repeat(129);
    assert.equal(await read(() => slow.isRevoked(long)), false);
    assert.equal(await read(() => slow.isRevoked(long)), false);
  });

  it("take nothing from the cache while they may be behind, and ask the database each time", async () => {
    await read(() => slow.rows.findById("1"));
    await read(() => slow.isRevoked("jti"));
    slow.state.isFresh = false;
    write(2);
    slow.database.set("jti", {});
    assert.equal(((await read(() => slow.rows.findById("1"))) as Row).version, 2);
    assert.equal(((await read(() => slow.rows.findByKey("ada"))) as Row).version, 2);
    assert.equal(await read(() => slow.isRevoked("jti")), true);
  });

  it("fail as the database fails, each on its own, and keep nothing of it", async () => {
    const failing = [slow.rows.findById("1"), slow.rows.findByKey("ada"), slow.isRevoked("jti")];
    const outcomes = Promise.allSettled(failing);
    for (const one of slow.asked) await one.fail();
    assert.ok((await outcomes).every(({ status }) => status === "rejected"));
    assert.equal(((await read(() => slow.rows.findById("1"))) as Row).version, 1);
  });

  it("find nothing by a text that the database cannot store, and do not ask", async () => {
    assert.equal(await slow.rows.findById("1\0"), undefined);
    assert.equal(await slow.rows.findByKey("ada\0"), undefined);
    assert.equal(await slow.isRevoked("jti\0"), false);
    assert.equal(slow.asked.length, 0);
  });
});
