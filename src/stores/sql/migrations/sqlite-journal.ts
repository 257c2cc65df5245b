import type { Kysely } from "kysely";
import { sql } from "kysely";

/** Has each change of a row noted on SQLite, by whichever writer; `key` is the column of the primary key. */
export async function noteSqliteChanges(
  db: Kysely<unknown>,
  { table, key }: { readonly table: string; readonly key: string },
): Promise<void> {
  await createTrigger(db, table, "insert", [`new.${key}`]);
  await createTrigger(db, table, "update", [`old.${key}`, `new.${key}`]);
  await createTrigger(db, table, "delete", [`old.${key}`]);
}

/** Notes each distinct one of `keys` after an operation: an update may change the key itself. */
async function createTrigger(
  db: Kysely<unknown>,
  table: string,
  operation: "insert" | "update" | "delete",
  keys: readonly string[],
): Promise<void> {
  const values = sql.raw(keys.map((key) => `select ${key}`).join(" union "));
  await sql`
    create trigger ${sql.id(`${table}_${operation}_noted`)} after ${sql.raw(operation)} on ${sql.id(table)}
    begin
      insert into changes (table_name, row_key) select ${sql.lit(table)}, * from (${values});
    end`.execute(db);
}
