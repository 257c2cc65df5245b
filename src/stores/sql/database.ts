import type { CompiledQuery, Kysely, Transaction } from "kysely";
import type { Awaitable } from "../../kernel/awaitable.ts";
import { isConflict } from "./postgres-errors.ts";
import type { Schema } from "./schema.ts";

/** What the stores are built on, whichever database it is. */
export interface SqlDatabase {
  readonly db: Kysely<Schema>;
  /**
   * Reads of a few rows by an index, as of the last commit: on SQLite at once and in this thread, so that they wait for
   * no write and no disk that hangs with one. What may scan a table, or all that one user has left in it, belongs to
   * `db`.
   */
  readonly reader: Kysely<Schema>;
  readonly reads: LiveReads;
  /**
   * Runs `guard`, and `rest` where it changed a row, in one transaction and one call; resolves to whether it did.
   * Absent where that is no cheaper than a transaction of `db`.
   */
  readonly transact?: (guard: CompiledQuery, rest: readonly CompiledQuery[]) => Promise<boolean>;
}

/** The tables whose rows are read on the way of every request. */
export type LiveTable = "accounts" | "sessions" | "api_keys" | "revoked_tokens" | "setting_overrides";

/** How entities of one table are found; each query has exactly one parameter, the id or the key. */
export interface EntityQueries<Row, T> {
  readonly table: LiveTable;
  readonly byId: CompiledQuery<Row>;
  readonly byKey: CompiledQuery<Row>;
  readonly fromRow: (row: Row) => T;
  /** The unique column that `byKey` looks at. */
  readonly keyOf: (entity: T) => string | null;
}

export interface EntityReads<T> {
  findById(id: string): Awaitable<T | undefined>;
  findByKey(key: string): Awaitable<T | undefined>;
}

/**
 * Reads that every request makes, compiled once. What they find is live: as of the last commit, by whichever process.
 * Entities are frozen, as they may be shared; finding by id and asking for members tell their version. They throw `Outage` where the database does not answer.
 */
export interface LiveReads {
  entities<Row, T extends { readonly id: string }>(queries: EntityQueries<Row, T>): EntityReads<T>;
  /** Whether caches are as of the last commits; else each read asks the database. */
  isCurrent(): boolean;
  /** Whether a table has a row for a key. */
  members(table: LiveTable, byKey: CompiledQuery<unknown>): (key: string) => Awaitable<boolean>;
}

/** How often a transaction runs at most, and the longest pause before another time (ms). */
const ATTEMPTS = 40;
const LONGEST_PAUSE_MS = 25;

/**
 * Runs `work` in one serializable transaction; a throw undoes all of it. Where the database undoes it because it met
 * another transaction (PostgreSQL; SQLite makes it wait for the write lock instead), it runs again, up to 40 times
 * within a second or so: `work` must have no effect but on the database. After that it is an `Outage`.
 */
export async function serializable<T>(
  db: Kysely<Schema>,
  work: (trx: Transaction<Schema>) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await db.transaction().setIsolationLevel("serializable").execute(work);
    } catch (error) {
      if (attempt === ATTEMPTS || !isConflict(error)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, Math.min(attempt, LONGEST_PAUSE_MS)));
  }
}
