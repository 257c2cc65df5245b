import type { Kysely } from "kysely";
import { sql } from "kysely";

/**
 * The journal on PostgreSQL, read by transaction id (`journal-position.ts` says why). Its numbers only tell entries of
 * one page apart. They are not held to be unique: no write shall fail because a sequence went back, as that of a
 * database copied from a template does in a crash.
 *
 * The trigger's function notes the primary key, whose column is its first argument, and hints at it by NOTIFY as the
 * transaction commits. Columns named by further arguments are quiet: a change of these alone is noted without a hint,
 * since commits that notify wait for each other. An entry without a table stands for all rows. Names are bound to the
 * schema of this migration, whatever the search path of a later writer is.
 */
export async function createPostgresJournal(db: Kysely<unknown>): Promise<void> {
  const schema = await currentSchema(db);
  await sql`
    create table changes (
      seq bigint not null generated always as identity,
      xid xid8 not null default pg_current_xact_id(),
      noted_at timestamptz not null default clock_timestamp(),
      table_name text not null,
      row_key text not null
    )`.execute(db);
  await sql`create index changes_xid on changes (xid)`.execute(db);
  await sql`
    create function note_change() returns trigger language plpgsql as $$
    declare
      before jsonb := to_jsonb(old);
      after jsonb := to_jsonb(new);
    begin
      if tg_op = 'TRUNCATE' then
        insert into ${sql.id(schema)}.changes (table_name, row_key) values ('', '');
        perform pg_notify('kyros_changes', '');
        return null;
      end if;
      insert into ${sql.id(schema)}.changes (table_name, row_key)
        select tg_table_name, keys.row_key
        from (select before ->> tg_argv[0] as row_key union select after ->> tg_argv[0]) as keys
        where keys.row_key is not null;
      if before - tg_argv[1:] is distinct from after - tg_argv[1:] then
        perform pg_notify('kyros_changes', '');
      end if;
      return null;
    end $$`.execute(db);
  // A journal always has an entry: finding one from before is how a reader knows that it missed nothing.
  await sql`insert into changes (table_name, row_key) values ('', '')`.execute(db);
}

/** A table whose rows are cached under their primary key. */
export interface NotedTable {
  readonly table: string;
  readonly key: string;
  /** Columns whose change need not be seen at once. */
  readonly quiet: readonly string[];
}

/** Has each change of a row noted, by whichever writer. */
export async function notePostgresChanges(
  db: Kysely<unknown>,
  { table, key, quiet }: NotedTable,
): Promise<void> {
  const values = sql.join([key, ...quiet].map((value) => sql.lit(value)));
  await sql`
    create trigger ${sql.id(`${table}_noted`)} after insert or update or delete on ${sql.id(table)}
    for each row execute function note_change(${values})`.execute(db);
  await sql`
    create trigger ${sql.id(`${table}_truncation_noted`)} after truncate on ${sql.id(table)}
    for each statement execute function note_change(${values})`.execute(db);
}

async function currentSchema(db: Kysely<unknown>): Promise<string> {
  const { rows } = await sql<{ schema: string }>`select current_schema() as schema`.execute(db);
  return rows[0]!.schema;
}
