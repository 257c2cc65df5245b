/**
 * Reads for every request: synchronous, near free in the usual case, and never behind the database.
 *
 * The argument for its correctness:
 * 1. `PRAGMA data_version` on a connection changes whenever any other connection has committed, in this process or
 *    another (https://www.sqlite.org/pragma.html#pragma_data_version). Reading runs on a connection that never
 *    writes, so every commit is another connection's.
 * 2. Triggers append the table and id of every row that is inserted, updated or deleted to the journal `changes`, in
 *    the transaction that does it, whoever does it (migration 0002). The journal has no gaps: its numbers are
 *    AUTOINCREMENT, and a rollback takes its numbers back.
 * 3. So, with `position` the last entry seen, this holds always: *a cached row is as new as the journal's state at
 *    `position`.* A row is read from the database after `position` was; and moving `position` evicts what the entries
 *    between name. Where these cannot all be told (too many, pruned, rewritten by a restore), everything is evicted.
 * 4. The version is looked at by the first read after a write of this process, by whichever of its threads, before
 *    that write is acknowledged: what a client was told by this process holds for its next request to it.
 * 5. It is also looked at by the first read after a millisecond or the turn of the event loop, whichever is longer:
 *    that is how late a commit of another process may be seen. Looking costs microseconds, as SQLite locks the file
 *    for it, and a busy service would look for each request.
 *
 * 6. The version counts the moves of `position` over entries of live tables, so that between two equal numbers no live row
 *    has changed, cached or not.
 *
 * Why a journal and not a cache that each commit clears: sessions are touched and events recorded all the time. A
 * touch evicts its own session, an audit entry evicts nothing, and no field of a cached row is ever out of date.
 */
import type { DatabaseSync, PrepareOptions, StatementSync } from "node:sqlite";
import { withVersion } from "../../kernel/read-version.ts";
import { shareCommitCount } from "./commit-count.ts";
import type { EntityQueries, EntityReads, LiveReads, LiveTable } from "./database.ts";
import type { RowCache } from "./row-cache.ts";
import { createRowCache } from "./row-cache.ts";
import { toPortError } from "./sqlite-errors.ts";

const CACHED_ROWS = 10_000;
/** Beyond this many changes at once, reading the rows again is cheaper than reading the journal. */
const MAX_EVICTIONS = 256;
/** A key that is remembered as absent is of a caller's choosing; longer ones are looked up each time. */
const MAX_ABSENT_KEY_LENGTH = 128;

const LOOK_EVERY_MS = 1;

const commits = shareCommitCount();

/** Makes the next live read of this process, in any of its threads, look at the database's version. */
export function expectChanges(): void {
  Atomics.add(commits, 0, 1);
}

export interface SqliteReads extends LiveReads {
  /** Reads from the file, whatever was read this turn; throws `Outage` where that fails. */
  probe(): void;
}

/** Live reads over a read-only connection, each table's latest 10,000 rows cached. */
export function createLiveReads(reader: DatabaseSync): SqliteReads {
  const prepare = lazyStatements(reader);
  const version = prepare("pragma data_version", { returnArrays: true });
  const head = prepare("select max(seq) as seq from changes");
  const entriesFrom = prepare(
    `select seq, table_name, row_key from changes where seq >= ? order by seq limit ${MAX_EVICTIONS + 2}`,
  );
  const caches = new Map<string, RowCache<unknown>>();
  /** What `commits` was when the version was last looked at; nothing once that is too long ago. */
  let seenCommits: number | undefined;
  let isExpiryScheduled = false;
  let seenVersion = -1;
  let position = -1;
  let moves = 0;

  function expire(): void {
    seenCommits = undefined;
    isExpiryScheduled = false;
  }

  function isFresh(): boolean {
    return seenCommits === Atomics.load(commits, 0);
  }

  /** Brings the caches up to the last commit. */
  function refresh(): void {
    // Before looking: what is committed meanwhile is then looked for again.
    const count = Atomics.load(commits, 0);
    try {
      const [current] = version().get() as unknown as [number];
      if (current !== seenVersion) catchUp();
      seenVersion = current;
    } catch (error) {
      throw toPortError(error);
    }
    seenCommits = count;
    if (isExpiryScheduled) return;
    isExpiryScheduled = true;
    setTimeout(expire, LOOK_EVERY_MS).unref();
  }

  /** Evicts what has changed since `position`. The entry at `position` itself proves that none before is missing. */
  function catchUp(): void {
    const entries = entriesFrom().all(position);
    if (entries[0]?.["seq"] !== position || entries.length > MAX_EVICTIONS + 1) {
      position = (head().get()!["seq"] as number | null) ?? -1;
      for (const cache of caches.values()) cache.clear();
      moves += 1;
      return;
    }
    for (const entry of entries.slice(1)) {
      const cache = caches.get(entry["table_name"] as string);
      if (cache !== undefined) moves += 1;
      cache?.delete(entry["row_key"] as string);
      position = entry["seq"] as number;
    }
  }

  function currentVersion(): number {
    if (!isFresh()) refresh();
    return moves;
  }

  function openCache<T>(table: LiveTable): RowCache<T> {
    const cache = createRowCache<T>(CACHED_ROWS);
    caches.set(table, cache as RowCache<unknown>);
    return cache;
  }

  function entities<Row, T extends { readonly id: string }>(queries: EntityQueries<Row, T>): EntityReads<T> {
    const { fromRow, keyOf } = queries;
    const byId = prepare(queries.byId.sql);
    const byKey = prepare(queries.byKey.sql);
    const rows = openCache<T>(queries.table);
    /** Key to id: only a hint, since what it leads to is a live row and is asked for its key. */
    const ids = createRowCache<string>(CACHED_ROWS);

    function read(statement: () => StatementSync, value: string): T | undefined {
      let row: Row | undefined;
      try {
        row = statement().get(value) as Row | undefined;
      } catch (error) {
        throw toPortError(error);
      }
      if (row === undefined) return undefined;
      const entity = Object.freeze(fromRow(row));
      const key = keyOf(entity);
      rows.set(entity.id, entity);
      if (key !== null) ids.set(key, entity.id);
      return entity;
    }

    function findById(id: string): T | undefined {
      if (!isFresh()) refresh();
      return rows.get(id) ?? read(byId, id);
    }

    function findByKey(key: string): T | undefined {
      const id = ids.get(key);
      if (id !== undefined) {
        const entity = findById(id);
        if (entity !== undefined && keyOf(entity) === key) return entity;
      }
      return read(byKey, key);
    }

    return { findById: withVersion(findById, currentVersion), findByKey };
  }

  return {
    entities,
    members(table, query) {
      const byKey = prepare(query.sql);
      const known = openCache<boolean>(table);
      return withVersion((key) => {
        if (!isFresh()) refresh();
        const remembered = known.get(key);
        if (remembered !== undefined) return remembered;
        try {
          const found = byKey().get(key) !== undefined;
          if (key.length <= MAX_ABSENT_KEY_LENGTH) known.set(key, found);
          return found;
        } catch (error) {
          throw toPortError(error);
        }
      }, currentVersion);
    },
    // Every look at the file is one at all commits.
    isCurrent: () => true,
    probe: refresh,
  };
}

/** Statements prepared at their first use: the tables may only be there after a migration. */
function lazyStatements(
  reader: DatabaseSync,
): (sql: string, options?: PrepareOptions) => () => StatementSync {
  return (sql, options) => {
    let statement: StatementSync | undefined;
    return () => {
      statement ??= reader.prepare(sql, options);
      return statement;
    };
  };
}
