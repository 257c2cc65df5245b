import type { Kysely } from "kysely";
import { sql } from "kysely";
import type { Migration } from "kysely/migration";
import { columnTypes, createTable } from "./dialect.ts";

/** Accounts, sessions, their refresh tokens, revoked access tokens and API keys. */
export const identityTables: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await createAccounts(db);
    await createSessions(db);
    await createTokens(db);
    await createApiKeys(db);
  },
};

async function createAccounts(db: Kysely<unknown>): Promise<void> {
  const { text, integer } = columnTypes(db);
  await createTable(db, "accounts")
    .addColumn("id", text, (column) => column.notNull().primaryKey())
    .addColumn("username", text, (column) => column.notNull())
    .addColumn("username_key", text, (column) => column.notNull().unique())
    .addColumn("email", text)
    .addColumn("email_key", text)
    .addColumn("role", text, (column) => column.notNull().check(sql`role in ('user', 'moderator', 'admin')`))
    .addColumn("disabled", integer, (column) => column.notNull().check(sql`disabled in (0, 1)`))
    .addColumn("password_hash", text)
    .addColumn("created_at_ms", integer, (column) => column.notNull())
    .addColumn("last_login_at_ms", integer)
    .addColumn("password_changed_at_ms", integer, (column) => column.notNull())
    .execute();
  await db.schema.createIndex("accounts_role").on("accounts").column("role").execute();
}

/** No reference to `accounts`: the library also keeps sessions and keys of accounts that live in a host's own tables. */
async function createSessions(db: Kysely<unknown>): Promise<void> {
  const { text, integer } = columnTypes(db);
  await createTable(db, "sessions")
    .addColumn("id", text, (column) => column.notNull().primaryKey())
    .addColumn("user_id", text, (column) => column.notNull())
    .addColumn("kind", text, (column) => column.notNull().check(sql`kind in ('browser', 'token')`))
    .addColumn("secret_hash", text, (column) => column.unique())
    .addColumn("user_agent", text)
    .addColumn("address", text, (column) => column.notNull())
    .addColumn("created_at_ms", integer, (column) => column.notNull())
    .addColumn("last_seen_at_ms", integer, (column) => column.notNull())
    .addColumn("authenticated_at_ms", integer, (column) => column.notNull())
    .addColumn("expires_at_ms", integer, (column) => column.notNull())
    .addColumn("idle_expires_at_ms", integer, (column) => column.notNull())
    .addColumn("ended_at_ms", integer)
    .execute();
  await db.schema.createIndex("sessions_user").on("sessions").column("user_id").execute();
  // What a purge looks for, each on its own so that an OR of them needs no scan.
  await db.schema.createIndex("sessions_ended").on("sessions").column("ended_at_ms").execute();
  await db.schema.createIndex("sessions_expiry").on("sessions").column("expires_at_ms").execute();
  await db.schema.createIndex("sessions_idle_expiry").on("sessions").column("idle_expires_at_ms").execute();
}

async function createTokens(db: Kysely<unknown>): Promise<void> {
  const { text, integer } = columnTypes(db);
  await createTable(db, "refresh_tokens")
    .addColumn("hash", text, (column) => column.notNull().primaryKey())
    .addColumn("session_id", text, (column) => column.notNull().references("sessions.id").onDelete("cascade"))
    .addColumn("user_id", text, (column) => column.notNull())
    .addColumn("issued_at_ms", integer, (column) => column.notNull())
    .addColumn("expires_at_ms", integer, (column) => column.notNull())
    .addColumn("used_at_ms", integer)
    .addColumn("successor_hash", text)
    .execute();
  await db.schema.createIndex("refresh_tokens_session").on("refresh_tokens").column("session_id").execute();
  await db.schema.createIndex("refresh_tokens_expiry").on("refresh_tokens").column("expires_at_ms").execute();
  await createTable(db, "revoked_tokens")
    .addColumn("token_id", text, (column) => column.notNull().primaryKey())
    .addColumn("expires_at_ms", integer, (column) => column.notNull())
    .execute();
  await db.schema.createIndex("revoked_tokens_expiry").on("revoked_tokens").column("expires_at_ms").execute();
}

async function createApiKeys(db: Kysely<unknown>): Promise<void> {
  const { text, integer } = columnTypes(db);
  await createTable(db, "api_keys")
    .addColumn("id", text, (column) => column.notNull().primaryKey())
    .addColumn("public_id", text, (column) => column.notNull().unique())
    .addColumn("secret_hash", text, (column) => column.notNull())
    .addColumn("previous_secret_hash", text)
    .addColumn("previous_expires_at_ms", integer)
    .addColumn("name", text, (column) => column.notNull())
    .addColumn("owner_id", text)
    .addColumn("scopes", text, (column) => column.notNull())
    .addColumn("address_ranges", text, (column) => column.notNull())
    .addColumn("rate_limits", text, (column) => column.notNull())
    .addColumn("created_at_ms", integer, (column) => column.notNull())
    .addColumn("expires_at_ms", integer)
    .addColumn("revoked_at_ms", integer)
    .addColumn("last_used_at_ms", integer)
    .execute();
  await db.schema.createIndex("api_keys_owner").on("api_keys").columns(["owner_id", "id"]).execute();
}
