import { statSync } from "node:fs";
import type { Overrides } from "../identity/settings/override-store.ts";
import { Outage } from "../kernel/failure.ts";
import { DatabaseFault } from "../stores/database-fault.ts";
import { openStores, sqlitePath } from "../stores/open.ts";

/** What admins have changed while the service runs, or why that cannot be told. */
export type StoredOverrides = { readonly overrides: Overrides } | { readonly unread: string };

const NONE: StoredOverrides = { overrides: {} };

/** Reads the overrides of a database, which is neither made nor migrated for that. */
export async function storedOverrides(databaseUrl: string): Promise<StoredOverrides> {
  if (databaseUrl === "sqlite::memory:") {
    return { unread: "a database in memory is known to its own process alone" };
  }
  try {
    if (databaseUrl.startsWith("sqlite:") && isMissing(sqlitePath(databaseUrl))) return NONE;
    const stores = await openStores({ databaseUrl });
    try {
      // Older than the table of overrides, it has none.
      const pending = await stores.pendingMigrations();
      if (pending.some((name) => /setting-overrides$/.test(name))) return NONE;
      return { overrides: await stores.settings.current() };
    } finally {
      await stores.close();
    }
  } catch (error) {
    if (error instanceof Outage) return { unread: whyOf(error) };
    if (error instanceof DatabaseFault || isSystemError(error)) return { unread: error.message };
    throw error;
  }
}

/** What cannot be looked at may be there: that is thrown. */
function isMissing(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) === undefined;
}

function isSystemError(error: unknown): error is Error {
  return error instanceof Error && "code" in error;
}

function whyOf({ message, cause }: Outage): string {
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
