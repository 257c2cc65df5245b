import { Command } from "commander";
import { loadSettings } from "../../config/load.ts";
import { trailMarkPath, writeTrailMark } from "../../service/trail-mark.ts";
import { openStores } from "../../stores/open.ts";
import type { Operator } from "../operator.ts";
import { asOperator } from "../operator.ts";
import { UsageFault } from "../usage-fault.ts";

const PAGE = 500;

export function migrateCommand(): Command {
  return new Command("migrate")
    .description(
      "bring the database to the current schema; safe to run twice, and from two instances at once",
    )
    .option("--json", "print the names of the applied migrations as JSON")
    .option(
      "--accept-restore",
      "take a restored backup for the database: ends all sessions of all users and revokes all API keys",
    )
    .option("--keep-api-keys", "with --accept-restore: leave API keys as the backup has them")
    .action(async (options: MigrateOptions) => {
      if (options.keepApiKeys && !options.acceptRestore) {
        throw new UsageFault("--keep-api-keys goes with --accept-restore");
      }
      const { dataDir, databaseUrl } = loadSettings();
      const stores = await openStores({ databaseUrl });
      let applied: readonly string[];
      try {
        applied = await stores.migrate();
      } finally {
        await stores.close();
      }
      const ended = options.acceptRestore
        ? await asOperator((operator) => acceptRestore(operator, options.keepApiKeys === true))
        : undefined;
      if (options.acceptRestore) await noteTrail(dataDir, databaseUrl);
      if (options.json) {
        process.stdout.write(`${JSON.stringify({ applied, ...ended })}\n`);
        return;
      }
      if (applied.length === 0) process.stdout.write("The database is up to date.\n");
      else process.stdout.write(`${applied.map((name) => `applied ${name}`).join("\n")}\n`);
      if (ended === undefined) return;
      const { accounts, api_keys } = ended;
      const kept = api_keys === undefined ? "API keys, passwords" : "Passwords";
      process.stdout.write(
        `All sessions of ${accounts} users are ended${api_keys === undefined ? "" : `, and ${api_keys} API keys are revoked`}. ` +
          `${kept}, roles and disabled users are as of the backup: go over what the audit trail's sinks have told ` +
          "since then.\n",
      );
    });
}

interface MigrateOptions {
  readonly json?: boolean;
  readonly acceptRestore?: boolean;
  readonly keepApiKeys?: boolean;
}

/** How many users' sessions were ended and how many keys revoked, in the words of `--json`. */
interface Ended {
  readonly accounts: number;
  readonly api_keys?: number;
}

/** Ends every session and API key, as it cannot be known which of them had ended since the backup. */
async function acceptRestore(operator: Operator, keepsApiKeys: boolean): Promise<Ended> {
  const { events, act } = operator;
  const accounts = await endSessions(operator);
  const apiKeys = keepsApiKeys ? undefined : await revokeApiKeys(operator);
  await events.record({
    ...act,
    name: "settings.changed",
    outcome: "success",
    subject: "database",
    reason: `a restored backup was accepted, all sessions were ended, API keys were ${keepsApiKeys ? "kept" : "revoked"}`,
    details: { users: accounts, ...(apiKeys !== undefined && { api_keys: apiKeys }) },
  });
  return { accounts, ...(apiKeys !== undefined && { api_keys: apiKeys }) };
}

async function revokeApiKeys({ apiKeys, stores, act }: Operator): Promise<number> {
  let count = 0;
  for (let afterId: string | undefined; ; ) {
    const page = await stores.apiKeys.list({ limit: PAGE, ...(afterId !== undefined && { afterId }) });
    for (const apiKey of page) {
      if (apiKey.revokedAtMs === null && (await apiKeys.revoke(apiKey, act))) count += 1;
    }
    afterId = page.at(-1)?.id;
    if (page.length < PAGE) return count;
  }
}

async function endSessions({ sessions, stores, act }: Operator): Promise<number> {
  let count = 0;
  for (let afterId: string | undefined; ; ) {
    const page = await stores.accounts.list({ limit: PAGE, ...(afterId !== undefined && { afterId }) });
    for (const { id } of page) await sessions.endAll(id, act);
    count += page.length;
    afterId = page.at(-1)?.id;
    if (page.length < PAGE) return count;
  }
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
