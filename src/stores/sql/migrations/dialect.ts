/**
 * Where the two databases differ, and how a migration is written for both:
 *
 * - `createTable` in place of `db.schema.createTable`: on SQLite the table is `strict`, which PostgreSQL always is.
 * - `columnTypes(db)` in place of names of types: `text` compares bytes on both (ids, keys and cursors are in the same
 *   order, and no update of the operating system reorders an index), `integer` has 64 bits on both.
 * - Booleans are an `integer` of 0 or 1, lists are JSON in `text`: see `columns.ts`.
 * - What has no common form (triggers) branches on `dialectOf(db)`.
 */
import type { CreateTableBuilder, Kysely, RawBuilder } from "kysely";
import { SqliteAdapter, sql } from "kysely";

export type SqlDialect = "sqlite" | "postgres";

/** Which database a migration runs on. */
export function dialectOf(db: Kysely<unknown>): SqlDialect {
  return db.getExecutor().adapter instanceof SqliteAdapter ? "sqlite" : "postgres";
}

/** The types of columns, to be given to `addColumn`. */
export function columnTypes(db: Kysely<unknown>): Readonly<Record<"text" | "integer", RawBuilder<unknown>>> {
  return dialectOf(db) === "sqlite"
    ? { text: sql`text`, integer: sql`integer` }
    : { text: sql`text collate "C"`, integer: sql`bigint` };
}

/** Begins a table that takes no value of another type than its column's. */
export function createTable<Name extends string>(
  db: Kysely<unknown>,
  name: Name,
): CreateTableBuilder<Name, never> {
  const table = db.schema.createTable(name);
  return dialectOf(db) === "sqlite" ? table.modifyEnd(sql`strict`) : table;
}
