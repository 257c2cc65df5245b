import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import { Migrator } from "kysely/migration";
import { DatabaseFault } from "../database-fault.ts";
import { identityTables } from "./migrations/0001-identity.ts";
import { changeJournal } from "./migrations/0002-change-journal.ts";
import { accountStates } from "./migrations/0003-account-states.ts";
import type { Schema } from "./schema.ts";

/** Every migration, forward only, by its name; a database records the names it has. Never edit one once released. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-identity": identityTables,
  "0002-change-journal": changeJournal,
  "0003-account-states": accountStates,
};

/**
 * Brings the database to the current schema in one transaction and returns the names applied; none where it is
 * current. Of two instances at once, one does the work and the other finds it done. Throws `DatabaseFault` where a
 * newer version of Kyros has migrated it, and the database's error where a migration fails; nothing has changed then.
 */
export async function migrate(db: Kysely<Schema>): Promise<readonly string[]> {
  await refuseNewerSchema(db);
  const { error, results } = await createMigrator(db).migrateToLatest();
  if (error !== undefined) throw error;
  return (results ?? []).map((result) => result.migrationName);
}

/** The migrations the database lacks, in order. Throws `DatabaseFault` where a newer version has migrated it. */
export async function pendingMigrations(db: Kysely<Schema>): Promise<readonly string[]> {
  await refuseNewerSchema(db);
  const migrations = await createMigrator(db).getMigrations();
  return migrations.filter((migration) => migration.executedAt === undefined).map(({ name }) => name);
}

function createMigrator(db: Kysely<Schema>): Migrator {
  return new Migrator({ db, provider: { getMigrations: async () => ({ ...MIGRATIONS }) } });
}

async function refuseNewerSchema(db: Kysely<Schema>): Promise<void> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === "kysely_migration")) return;
  const applied = await db
    .withTables<{ kysely_migration: { name: string } }>()
    .selectFrom("kysely_migration")
    .select("name")
    .execute();
  const unknown = applied.find(({ name }) => !(name in MIGRATIONS));
  if (unknown !== undefined) {
    throw new DatabaseFault(
      `the database has migration ${unknown.name}, which this version of Kyros does not know: run a newer version`,
    );
  }
}
