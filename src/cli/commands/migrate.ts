import { Command } from "commander";
import { loadSettings } from "../../config/load.ts";
import { trailMarkPath, writeTrailMark } from "../../service/trail-mark.ts";
import { openStores } from "../../stores/open.ts";
import type { Operator } from "../operator.ts";
import { asOperator } from "../operator.ts";

const PAGE = 500;

export function migrateCommand(): Command {
  return new Command("migrate")
    .description(
      "bring the database to the current schema; safe to run twice, and from two instances at once",
    )
    .option("--json", "print the names of the applied migrations as JSON")
    .option("--accept-restore", "take a restored backup for the database: ends all sessions of all users")
    .action(async (options: { json?: boolean; acceptRestore?: boolean }) => {
      const { dataDir, databaseUrl } = loadSettings();
      const stores = await openStores({ databaseUrl });
      let applied: readonly string[];
      try {
        applied = await stores.migrate();
      } finally {
        await stores.close();
      }
      const accounts = options.acceptRestore ? await asOperator(acceptRestore) : undefined;
      if (options.acceptRestore) await noteTrail(dataDir, databaseUrl);
      if (options.json) {
        process.stdout.write(`${JSON.stringify({ applied, ...(accounts !== undefined && { accounts }) })}\n`);
        return;
      }
      if (applied.length === 0) process.stdout.write("The database is up to date.\n");
      else process.stdout.write(`${applied.map((name) => `applied ${name}`).join("\n")}\n`);
      if (accounts === undefined) return;
      process.stdout.write(
        `All sessions of ${accounts} users are ended. API keys, passwords, roles and disabled users are as of the ` +
          "backup: go over what the audit trail's sinks have told since then.\n",
      );
    });
}

/** Ends every session, as it cannot be known which of them had ended since the backup. Resolves to how many users. */
async function acceptRestore({ sessions, stores, events, act }: Operator): Promise<number> {
  let count = 0;
  for (let afterId: string | undefined; ; ) {
    const page = await stores.accounts.list({ limit: PAGE, ...(afterId !== undefined && { afterId }) });
    for (const { id } of page) await sessions.endAll(id, act);
    count += page.length;
    afterId = page.at(-1)?.id;
    if (page.length < PAGE) break;
  }
  await events.record({
    ...act,
    name: "settings.changed",
    outcome: "success",
    subject: "database",
    reason: "a restored backup was accepted, and all sessions were ended",
    details: { users: count },
  });
  return count;
}

/** From here on the database counts as it is. */
async function noteTrail(dataDir: string, databaseUrl: string): Promise<void> {
  const path = trailMarkPath(dataDir, databaseUrl);
  const stores = await openStores({ databaseUrl });
  try {
    const head = await stores.audit.head();
    if (path !== undefined && head !== undefined) writeTrailMark(path, head);
  } finally {
    await stores.close();
  }
}
