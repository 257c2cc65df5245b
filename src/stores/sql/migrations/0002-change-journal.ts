import type { Kysely } from "kysely";
import { sql } from "kysely";
import type { Migration } from "kysely/migration";
import { dialectOf } from "./dialect.ts";
import { createPostgresJournal, notePostgresChanges } from "./postgres-journal.ts";
import { noteSqliteChanges } from "./sqlite-journal.ts";

/** Each live table, the column of its primary key, and those that only say when a row was last used. */
const JOURNALED = [
  { table: "accounts", key: "id", quiet: ["last_login_at_ms"] },
  { table: "sessions", key: "id", quiet: ["last_seen_at_ms", "idle_expires_at_ms"] },
  { table: "api_keys", key: "id", quiet: ["last_used_at_ms"] },
  { table: "revoked_tokens", key: "token_id", quiet: [] },
] as const;

/**
 * The journal that live reads follow (`live-reads.ts`, `change-journal.ts`): triggers note each row that any writer
 * changes, in its own transaction. On SQLite it keeps the latest 4,096 entries or more; a reader that was away for
 * longer starts afresh.
 */
export const changeJournal: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    if (dialectOf(db) === "postgres") {
      await createPostgresJournal(db);
      for (const live of JOURNALED) await notePostgresChanges(db, live);
      return;
    }
    await sql`
      create table changes (
        seq integer not null primary key autoincrement,
        table_name text not null,
        row_key text not null
      ) strict`.execute(db);
    for (const live of JOURNALED) await noteSqliteChanges(db, live);
    await sql`
      create trigger changes_pruned after insert on changes when new.seq % 1024 = 0
      begin
        delete from changes where seq <= new.seq - 4096;
      end`.execute(db);
    // A journal always has a latest entry: finding the one it saw last is how a reader knows that it missed nothing.
    await sql`insert into changes (table_name, row_key) values ('', '')`.execute(db);
  },
};
