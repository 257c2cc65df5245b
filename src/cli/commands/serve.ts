import { availableParallelism } from "node:os";
import { Command } from "commander";
import { loadSettings } from "../../config/load.ts";
import type { Settings } from "../../config/settings.ts";
import type { Log } from "../../service/log.ts";
import { createLog } from "../../service/log.ts";
import type { RunningService } from "../../service/start.ts";
import { startWriterThread } from "../../stores/sql/sqlite-writer.ts";
import { UsageFault } from "../usage-fault.ts";

/** What is under way has this long to finish (ms). */
const DRAIN_MS = 10_000;
/** More threads than any machine's cores would only get in each other's way. */
const MOST_WORKERS = 256;

export function serveCommand(): Command {
  return new Command("serve")
    .description("run the service until SIGTERM or SIGINT")
    .option("--workers <number>", "threads that answer requests; 0 or auto: one a core", workerCount, 1)
    .action(async ({ workers }: { workers: number }) => {
      const settings = loadSettings();
      const log = createLog(settings.logLevel);
      const service = await start(settings, log, workers);
      // Before anybody is told that it runs: whoever was may send a signal at once.
      const ended = Promise.race([drainOnSignal(service, settings.drainGraceMs), service.failure ?? NEVER]);
      process.stdout.write(`kyros listening on ${service.url}\n`);
      if (service.metricsUrl !== undefined) process.stdout.write(`metrics on ${service.metricsUrl}\n`);
      if (settings.environment === "development") await sayWhatIsNext(service).catch(log.failure);
      await ended;
      // Whether anybody read its lines is no part of how it went.
      process.exitCode = 0;
    });
}

const NEVER = new Promise<never>(() => undefined);

/** Loaded here alone: no other command needs a web framework, and each would wait for it. */
async function start(settings: Settings, log: Log, workers: number): Promise<RunningService> {
  if (workers === 1) {
    // On another core, while this thread loads the rest: a start is two thirds loading.
    if (/^sqlite:(?!:memory:)/.test(settings.databaseUrl)) startWriterThread();
    const { startService } = await import("../../service/start.ts");
    return startService(settings, log);
  }
  if (settings.databaseUrl === "sqlite::memory:") {
    throw new UsageFault("--workers: a database in memory cannot be shared; name a file in DATABASE_URL");
  }
  const { startWorkers } = await import("../../service/workers/start-workers.ts");
  return startWorkers(settings, log, workers);
}

function workerCount(text: string): number {
  if (text === "auto" || text === "0") return availableParallelism();
  if (!/^[1-9][0-9]{0,2}$/.test(text) || Number(text) > MOST_WORKERS) {
    throw new UsageFault(`--workers: give a whole number from 1 to ${MOST_WORKERS}, or auto`);
  }
  return Number(text);
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

/**
 * Resolves once a signal has come and everything is closed. SIGTERM waits for balancers to see that `/readyz` is red
 * before connections are refused; SIGINT is a person at a terminal, who need not wait. A second signal, or a drain
 * that hangs, ends it hard.
 */
function drainOnSignal(service: RunningService, graceMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let draining = false;
    const drain = (waitMs: number): void => {
      if (draining) process.exit(1);
      draining = true;
      service.beginDrain();
      setTimeout(() => {
        setTimeout(() => process.exit(1), DRAIN_MS).unref();
        service.stop().then(resolve, reject);
      }, waitMs);
    };
    process.on("SIGTERM", () => drain(graceMs));
    process.on("SIGINT", () => drain(0));
  });
}
