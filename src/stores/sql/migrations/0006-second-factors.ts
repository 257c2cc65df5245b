import type { Kysely } from "kysely";
import { sql } from "kysely";
import type { Migration } from "kysely/migration";
import { columnTypes, createTable } from "./dialect.ts";

/**
 * Second factors, the challenges of a sign-in, and how strongly a session was proved. Not an `expand`: a version that
 * knows no second factor would sign people in without theirs (docs/decisions/0014-side-by-side-schema.md).
 */
export const secondFactors: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await createFactors(db);
    await createChallenges(db);
    const { integer } = columnTypes(db);
    // Whoever was signed in before there were second factors has shown none.
    await db.schema
      .alterTable("sessions")
      .addColumn("mfa", integer, (column) => column.notNull().defaultTo(0).check(sql`mfa in (0, 1)`))
      .execute();
  },
};

/** No reference to `accounts`, as of sessions (0001). */
async function createFactors(db: Kysely<unknown>): Promise<void> {
  const { text, integer } = columnTypes(db);
  await createTable(db, "totp_factors")
    .addColumn("user_id", text, (column) => column.notNull().primaryKey())
    .addColumn("id", text, (column) => column.notNull().unique())
    .addColumn("sealed_secret", text, (column) => column.notNull())
    .addColumn("created_at_ms", integer, (column) => column.notNull())
    .addColumn("confirmed_at_ms", integer)
    .addColumn("last_step", integer)
    .execute();
  await createTable(db, "recovery_codes")
    .addColumn("user_id", text, (column) => column.notNull())
    .addColumn("hash", text, (column) => column.notNull())
    .addPrimaryKeyConstraint("recovery_codes_primary", ["user_id", "hash"])
    .execute();
  await createTable(db, "passkeys")
    .addColumn("id", text, (column) => column.notNull().primaryKey())
    .addColumn("user_id", text, (column) => column.notNull())
    .addColumn("credential_id", text, (column) => column.notNull().unique())
    .addColumn("public_key", text, (column) => column.notNull())
    .addColumn("counter", integer, (column) => column.notNull())
    .addColumn("name", text, (column) => column.notNull())
    .addColumn("transports", text, (column) => column.notNull())
    .addColumn("created_at_ms", integer, (column) => column.notNull())
    .addColumn("last_used_at_ms", integer)
    .execute();
  await db.schema.createIndex("passkeys_user").on("passkeys").columns(["user_id", "id"]).execute();
}

async function createChallenges(db: Kysely<unknown>): Promise<void> {
  const { text, integer } = columnTypes(db);
  await createTable(db, "challenges")
    .addColumn("hash", text, (column) => column.notNull().primaryKey())
    .addColumn("purpose", text, (column) => column.notNull())
    .addColumn("user_id", text)
    .addColumn("bound_to", text)
    .addColumn("session_kind", text)
    .addColumn("password_changed_at_ms", integer, (column) => column.notNull())
    .addColumn("role_changed_at_ms", integer, (column) => column.notNull())
    .addColumn("tries", integer, (column) => column.notNull())
    .addColumn("expires_at_ms", integer, (column) => column.notNull())
    .execute();
  await db.schema.createIndex("challenges_user").on("challenges").column("user_id").execute();
  await db.schema.createIndex("challenges_expiry").on("challenges").column("expires_at_ms").execute();
}
