import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import { Migrator } from "kysely/migration";
import { DatabaseFault } from "../database-fault.ts";
import { identityTables } from "./migrations/0001-identity.ts";
import { changeJournal } from "./migrations/0002-change-journal.ts";
import { accountStates } from "./migrations/0003-account-states.ts";
import { auditTrail } from "./migrations/0004-audit-trail.ts";
import { settingOverrides } from "./migrations/0005-expand-setting-overrides.ts";
import { secondFactors } from "./migrations/0006-second-factors.ts";
import type { Schema } from "./schema.ts";

/**
 * Every migration, forward only, by its name; a database records the names it has. Never edit one once released. One
 * that an older version may serve beside is named `NNNN-expand-…`: it only adds what that version can ignore without
 * deciding anything differently (docs/decisions/0014-side-by-side-schema.md).
 */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-identity": identityTables,
  "0002-change-journal": changeJournal,
  "0003-account-states": accountStates,
  "0004-audit-trail": auditTrail,
  "0005-expand-setting-overrides": settingOverrides,
  "0006-second-factors": secondFactors,
};

/** A newer version's migration beside which this one may serve: expand, then contract (Sato, "ParallelChange", 2014). */
const EXPANDS = /^[0-9]{4}-expand-/;

/**
 * Brings the database to the current schema in one transaction and returns the names applied; none where it is
 * current, or where a newer version has only expanded it. Of two instances at once, one does the work and the other
 * finds it done. Throws `DatabaseFault` where a newer version of Kyros has migrated it otherwise, and the database's
 * error where a migration fails; nothing has changed then.
 */
export async function migrate(db: Kysely<Schema>): Promise<readonly string[]> {
  if ((await newerMigrations(db)).length > 0) return [];
  const { error, results } = await createMigrator(db).migrateToLatest();
  if (error !== undefined) throw error;
  return (results ?? []).map((result) => result.migrationName);
}

/** The migrations the database lacks, in order. Throws `DatabaseFault` where a newer version has migrated it. */
export async function pendingMigrations(db: Kysely<Schema>): Promise<readonly string[]> {
  if ((await newerMigrations(db)).length > 0) return [];
  const migrations = await createMigrator(db).getMigrations();
  return migrations.filter((migration) => migration.executedAt === undefined).map(({ name }) => name);
}

function createMigrator(db: Kysely<Schema>): Migrator {
  return new Migrator({ db, provider: { getMigrations: async () => ({ ...MIGRATIONS }) } });
}

/** The names a newer version has added to ours. Throws `DatabaseFault` where this version cannot serve beside it. */
async function newerMigrations(db: Kysely<Schema>): Promise<readonly string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === "kysely_migration")) return [];
  const rows = await db
    .withTables<{ kysely_migration: { name: string } }>()
    .selectFrom("kysely_migration")
    .select("name")
    .execute();
  const applied = new Set(rows.map(({ name }) => name));
  const newer = [...applied].filter((name) => !Object.hasOwn(MIGRATIONS, name));
  const isWhole = Object.keys(MIGRATIONS).every((name) => applied.has(name));
  const foreign = newer.find((name) => !isWhole || !EXPANDS.test(name));
  if (foreign !== undefined) {
    throw new DatabaseFault(
      `the database has migration ${foreign}, which this version of Kyros does not know: run a newer version`,
    );
  }
  return newer;
}
