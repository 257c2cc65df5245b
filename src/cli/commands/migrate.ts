import { Command } from "commander";
import { loadSettings } from "../../config/load.ts";
import { openStores } from "../../stores/open.ts";

export function migrateCommand(): Command {
  return new Command("migrate")
    .description(
      "bring the database to the current schema; safe to run twice, and from two instances at once",
    )
    .option("--json", "print the names of the applied migrations as JSON")
    .action(async (options: { json?: boolean }) => {
      const stores = await openStores({ databaseUrl: loadSettings().databaseUrl });
      try {
        const applied = await stores.migrate();
        if (options.json) process.stdout.write(`${JSON.stringify({ applied })}\n`);
        else if (applied.length === 0) process.stdout.write("The database is up to date.\n");
        else process.stdout.write(`${applied.map((name) => `applied ${name}`).join("\n")}\n`);
      } finally {
        await stores.close();
      }
    });
}
