import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Stores } from "../../src/stores/open.ts";
import { openStores } from "../../src/stores/open.ts";

/** A new directory of its own, and how to be rid of it. */
export function temporaryDirectory(): { readonly directory: string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), "kyros-stores-"));
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

let template: Promise<string> | undefined;

/** The path of a new database of the current schema: a copy of one that is migrated once. */
export async function createDatabase(directory: string): Promise<string> {
  template ??= migrateTemplate();
  const path = join(directory, "kyros.db");
  copyFileSync(await template, path);
  return path;
}

async function migrateTemplate(): Promise<string> {
  const { directory, remove } = temporaryDirectory();
  process.once("exit", remove);
  const path = join(directory, "template.db");
  const stores = await openStores({ databaseUrl: `sqlite:${path}` });
  await stores.migrate();
  await stores.close();
  return path;
}

/** Stores over a SQLite file of their own, which `close` removes. */
export async function openTemporaryStores(): Promise<Stores & { readonly path: string }> {
  const { directory, remove } = temporaryDirectory();
  const path = await createDatabase(directory);
  const stores = await openStores({ databaseUrl: `sqlite:${path}` });
  return {
    ...stores,
    path,
    async close() {
      await stores.close();
      remove();
    },
  };
}
