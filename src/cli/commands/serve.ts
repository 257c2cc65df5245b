import { Command } from "commander";
import { loadSettings } from "../../config/load.ts";
import { createLog } from "../../service/log.ts";
import type { RunningService } from "../../service/start.ts";

/** What is under way has this long to finish (ms). */
const DRAIN_MS = 10_000;

export function serveCommand(): Command {
  return new Command("serve").description("run the service until SIGTERM or SIGINT").action(async () => {
    const settings = loadSettings();
    const log = createLog(settings.logLevel);
    // Loaded here alone: no other command needs a web framework, and each would wait for it.
    const { startService } = await import("../../service/start.ts");
    const service = await startService(settings, log);
    process.stdout.write(`kyros listening on ${service.url}\n`);
    if (service.metricsUrl !== undefined) process.stdout.write(`metrics on ${service.metricsUrl}\n`);
    if (settings.environment === "development") await sayWhatIsNext(service);
    await drainOnSignal(service);
  });
}

/** A first start tells a newcomer the next three steps; later ones are quiet. */
async function sayWhatIsNext(service: RunningService): Promise<void> {
  const [first] = await service.stores.accounts.list({ limit: 1 });
  if (first !== undefined) return;
  process.stdout.write(
    [
      "",
      "There are no users yet. In another terminal:",
      "  npm run -s kyros -- user create alice --role admin    prints her password once",
      `  curl -s ${service.url}/auth/login -H 'content-type: application/json' \\`,
      '       -d \'{"username":"alice","password":"…"}\'        answers with her access token',
      `  open ${service.url}/docs                    to read and try the rest`,
      "",
      "",
    ].join("\n"),
  );
}

/** Resolves once a signal has come and everything is closed; a second signal, or a drain that hangs, ends it hard. */
function drainOnSignal(service: RunningService): Promise<void> {
  return new Promise((resolve, reject) => {
    let draining = false;
    const drain = (): void => {
      if (draining) process.exit(1);
      draining = true;
      setTimeout(() => process.exit(1), DRAIN_MS).unref();
      service.stop().then(resolve, reject);
    };
    process.on("SIGTERM", drain);
    process.on("SIGINT", drain);
  });
}
