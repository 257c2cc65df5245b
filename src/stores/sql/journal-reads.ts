import type { CompiledQuery } from "kysely";
import type { Awaitable } from "../../kernel/awaitable.ts";
import { withVersion } from "../../kernel/read-version.ts";
import type { EntityQueries, EntityReads, LiveReads, LiveTable } from "./database.ts";
import type { EvictionLog } from "./eviction-log.ts";
import { createEvictionLog } from "./eviction-log.ts";
import type { RowCache } from "./row-cache.ts";
import { createRowCache } from "./row-cache.ts";

const CACHED_ROWS = 10_000;
/** A key that is remembered as absent is of a caller's choosing; longer ones are looked up each time. */
const MAX_ABSENT_KEY_LENGTH = 128;

export interface JournalReadsOptions {
  /** Whether everything committed until a moment ago has been evicted; else nothing is taken from a cache. */
  readonly isFresh: () => boolean;
  /** Reads from the database the one row that a query finds for a value. */
  readonly find: (query: CompiledQuery<unknown>, value: string) => Promise<unknown>;
}

export interface JournalReads extends LiveReads {
  /** Forgets the row of a table that has this primary key. */
  evict(table: string, key: string): void;
  evictAll(): void;
}

interface TableCache<T> {
  readonly rows: RowCache<T>;
  readonly log: EvictionLog;
}

/**
 * Live reads of a database that has to be asked over a connection: from the caches while these follow its journal of
 * changes, and from the database itself otherwise. Why this is right: docs/decisions, "Live reads over PostgreSQL".
 */
export function createJournalReads({ isFresh, find }: JournalReadsOptions): JournalReads {
  const caches = new Map<string, TableCache<unknown>>();
  let evictions = 0;

  const currentVersion = (): number | undefined => (isFresh() ? evictions : undefined);

  function openCache<T>(table: LiveTable): TableCache<T> {
    const cache = { rows: createRowCache<T>(CACHED_ROWS), log: createEvictionLog() };
    caches.set(table, cache as TableCache<unknown>);
    return cache;
  }

  function entities<Row, T extends { readonly id: string }>(queries: EntityQueries<Row, T>): EntityReads<T> {
    const { byId, byKey, fromRow, keyOf } = queries;
    const { rows, log } = openCache<T>(queries.table);
    /** Key to id: only a hint, since what it leads to is a live row and is asked for its key. */
    const ids = createRowCache<string>(CACHED_ROWS);

    async function read(query: CompiledQuery<Row>, value: string): Promise<T | undefined> {
      if (isUnstorable(value)) return undefined;
      const begun = log.begin();
      let entity: T | undefined;
      let keep = false;
      try {
        const row = (await find(query, value)) as Row | undefined;
        if (row !== undefined) entity = Object.freeze(fromRow(row));
      } finally {
        keep = log.end(begun, entity?.id);
      }
      if (entity === undefined || !keep) return entity;
      rows.set(entity.id, entity);
      const key = keyOf(entity);
      if (key !== null) ids.set(key, entity.id);
      return entity;
    }

    const findById = (id: string): Awaitable<T | undefined> =>
      (isFresh() ? rows.get(id) : undefined) ?? read(byId, id);

    return {
      findById: withVersion(findById, currentVersion),
      findByKey(key) {
        const id = ids.get(key);
        const entity = id !== undefined && isFresh() ? rows.get(id) : undefined;
        return entity !== undefined && keyOf(entity) === key ? entity : read(byKey, key);
      },
    };
  }

  function members(table: LiveTable, byKey: CompiledQuery<unknown>): (key: string) => Awaitable<boolean> {
    const { rows, log } = openCache<boolean>(table);

    async function read(key: string): Promise<boolean> {
      if (isUnstorable(key)) return false;
      const begun = log.begin();
      let found: boolean | undefined;
      let keep = false;
      try {
        found = (await find(byKey, key)) !== undefined;
      } finally {
        keep = log.end(begun, found === undefined ? undefined : key);
      }
      if (keep && key.length <= MAX_ABSENT_KEY_LENGTH) rows.set(key, found);
      return found;
    }

    return withVersion(
      (key): Awaitable<boolean> => (isFresh() ? rows.get(key) : undefined) ?? read(key),
      currentVersion,
    );
  }

  return {
    isCurrent: isFresh,
    entities,
    members,
    evict(table, key) {
      const cache = caches.get(table);
      if (cache !== undefined) evictions += 1;
      cache?.rows.delete(key);
      cache?.log.evict(key);
    },
    evictAll() {
      evictions += 1;
      for (const { rows, log } of caches.values()) {
        rows.clear();
        log.evictAll();
      }
    },
  };
}

/** PostgreSQL stores no NUL in a text: nothing can be found by one, and asking for it would be an error. */
function isUnstorable(value: string): boolean {
  return value.includes("\0");
}
