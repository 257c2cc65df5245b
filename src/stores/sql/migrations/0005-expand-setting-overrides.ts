import type { Kysely } from "kysely";
import { sql } from "kysely";
import type { Migration } from "kysely/migration";
import { columnTypes, createTable, dialectOf } from "./dialect.ts";
import { notePostgresChanges } from "./postgres-journal.ts";
import { noteSqliteChanges } from "./sqlite-journal.ts";

const NOTED = { table: "setting_overrides", key: "id", quiet: [] } as const;

/**
 * Values of settings that hold in place of the environment's: one row, which is always there, as an absent one would be
 * asked for by every request. An older version decides by its environment, as before.
 */
export const settingOverrides: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const { text } = columnTypes(db);
    await createTable(db, "setting_overrides")
      .addColumn("id", text, (column) => column.notNull().primaryKey().check(sql`id = 'current'`))
      .addColumn("overrides", text, (column) => column.notNull())
      .execute();
    await sql`insert into setting_overrides (id, overrides) values ('current', '{}')`.execute(db);
    await (dialectOf(db) === "postgres" ? notePostgresChanges(db, NOTED) : noteSqliteChanges(db, NOTED));
  },
};
