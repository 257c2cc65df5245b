import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { JournalEntry } from "../../src/stores/sql/journal-position.ts";
import { createJournalPosition, MOST_ENTRIES } from "../../src/stores/sql/journal-position.ts";

function createFollower() {
  let evicted: string[] = [];
  const position = createJournalPosition({
    evict: (table, key) => void evicted.push(`${table} ${key}`),
    evictAll: () => void evicted.push("all"),
  });
  return {
    position,
    take(horizon: number, entries: readonly JournalEntry[] = [], whole = true) {
      evicted = [];
      position.take({ horizon: String(horizon), whole, entries });
      return evicted;
    },
  };
}

describe("the position in the journal", () => {
  it("begins by evicting everything, from where there is nothing to read", () => {
    const { position, take } = createFollower();
    assert.equal(BigInt(position.from), 2n ** 64n - 1n);
    assert.deepEqual(take(100), ["all"]);
    assert.equal(position.from, "100");
    assert.deepEqual(take(100), []);
  });

  it("evicts an entry once, however often it comes while an older transaction is open", () => {
    const { take } = createFollower();
    take(100);
    assert.deepEqual(take(100, [[7, "sessions", "a"]]), ["sessions a"]);
    assert.deepEqual(take(100, [[7, "sessions", "a"]]), []);
    const late: JournalEntry = [6, "sessions", "b"];
    assert.deepEqual(take(100, [[7, "sessions", "a"], late]), ["sessions b"]);
    assert.deepEqual(take(120, [[7, "sessions", "a"], late]), []);
    assert.deepEqual(take(120), []);
  });

  it("evicts everything where entries are missing, too many, for all rows, or the server went back", () => {
    const { position, take } = createFollower();
    take(100);
    assert.deepEqual(take(101, [], false), ["all"]);
    const crowd = Array.from({ length: MOST_ENTRIES + 1 }, (_, n): JournalEntry => [n, "sessions", "a"]);
    assert.deepEqual(take(102, crowd), ["all"]);
    assert.deepEqual(take(103, crowd.slice(1)).length, MOST_ENTRIES);
    assert.deepEqual(take(104, [[90_000, "", ""]]), ["all"]);
    assert.deepEqual(take(9), ["all"]);
    position.reset();
    assert.deepEqual(take(200), ["all"]);
  });

  it("misses no commit, whatever the order in which transactions begin, write and commit", () => {
    const step = fc.oneof(
      fc.constant({ kind: "begin" as const }),
      fc.record({
        kind: fc.constantFrom("write" as const, "commit" as const, "abort" as const),
        which: fc.nat(5),
      }),
      fc.constant({ kind: "look" as const }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { position, take } = createFollower();
        const open: { xid: number; entries: JournalEntry[] }[] = [];
        const committed: { xid: number; entry: JournalEntry }[] = [];
        const evicted = new Set<string>();
        let nextXid = 1;
        let seq = 0;
        const look = () => {
          const horizon = Math.min(nextXid, ...open.map(({ xid }) => xid));
          const from = BigInt(position.from);
          const entries = committed.filter(({ xid }) => BigInt(xid) >= from).map(({ entry }) => entry);
          for (const one of take(horizon, entries)) evicted.add(one);
        };
        look();
        for (const one of steps) {
          if (one.kind === "begin") {
            open.push({ xid: nextXid, entries: [] });
            nextXid += 1;
          } else if (one.kind === "look") {
            look();
          } else if (open.length > 0) {
            const index = one.which % open.length;
            const { xid, entries } = open[index]!;
            if (one.kind === "write") {
              entries.push([seq, "sessions", `${seq}`]);
              seq += 1;
            } else {
              open.splice(index, 1);
              if (one.kind === "commit") committed.push(...entries.map((entry) => ({ xid, entry })));
            }
          }
        }
        look();
        for (const { entry } of committed) assert.ok(evicted.has(`sessions ${entry[2]}`), `${entry}`);
      }),
    );
  });
});
