import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import { columnTypes, createTable } from "./dialect.ts";

/** Locks against guessing, and when an account's role last changed. */
export const accountStates: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const { text, integer } = columnTypes(db);
    await createTable(db, "lockouts")
      .addColumn("name_hash", text, (column) => column.notNull())
      .addColumn("place_hash", text, (column) => column.notNull())
      .addColumn("failures", integer, (column) => column.notNull())
      .addColumn("locked_until_ms", integer)
      .addColumn("signed_in_at_ms", integer)
      .addColumn("expires_at_ms", integer, (column) => column.notNull())
      .addPrimaryKeyConstraint("lockouts_primary", ["name_hash", "place_hash"])
      .execute();
    await db.schema.createIndex("lockouts_expiry").on("lockouts").column("expires_at_ms").execute();
    // Zero: no session of before this column is older than the last change of a role that anybody knows of.
    await db.schema
      .alterTable("accounts")
      .addColumn("role_changed_at_ms", integer, (column) => column.notNull().defaultTo(0))
      .execute();
  },
};
