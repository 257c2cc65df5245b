import { once } from "node:events";
import { createServer } from "node:net";
import { extname } from "node:path";
import { resolveSecret } from "../../config/development-secret.ts";
import type { Settings } from "../../config/settings.ts";
import { generateSecret } from "../../crypto/keyring.ts";
import { createPasswords } from "../../crypto/password.ts";
import { createStatementSigner } from "../../identity/audit/statement.ts";
import { steadyClock, systemClock } from "../../kernel/clock.ts";
import { randomToken, systemRandom } from "../../kernel/random.ts";
import { createSharedLimiter, reserveSharedLimits } from "../../stores/memory/shared-limiter.ts";
import { openStores } from "../../stores/open.ts";
import { reserveSharedOutages } from "../../stores/shared-outages.ts";
import { createMetrics } from "../../telemetry/metrics.ts";
import { totpSecretsOf } from "../compose-identity.ts";
import { openConfiguredKeyring } from "../configured-keyring.ts";
import { startHousekeeping } from "../housekeeping.ts";
import type { Log } from "../log.ts";
import type { MetricsServer } from "../metrics-server.ts";
import { startMetricsServer } from "../metrics-server.ts";
import type { RestoreGuard } from "../restore-guard.ts";
import { startRestoreGuard } from "../restore-guard.ts";
import type { RunningService } from "../start.ts";
import { createRestarts } from "./restarts.ts";
import type { WorkerHandle } from "./start-worker.ts";
import { startWorker } from "./start-worker.ts";
import { createWorkerMetrics } from "./worker-metrics.ts";

/** The sources run as they are, and built. */
const WORKER_THREAD = new URL(`./worker-thread${extname(import.meta.filename)}`, import.meta.url);

/** How long the workers may take to finish where the service ends because of one (ms). */
const LAST_DRAIN_MS = 5_000;

/**
 * Starts the service as `count` threads that listen on one port, with one set of limits and one queue for passwords
 * (docs/decisions/0013-workers-are-threads.md). This thread answers no requests: it migrates, keeps house, hashes, and
 * starts a worker again that ended. Rejects where any cannot start; nothing is left running then.
 */
export async function startWorkers(
  settings: Settings,
  log: Log,
  count: number,
  entry: URL = WORKER_THREAD,
): Promise<RunningService> {
  const secret = resolveSecret(settings, () => generateSecret(systemRandom));
  const stores = await openStores({ databaseUrl: settings.databaseUrl });
  const limits = reserveSharedLimits(systemRandom);
  const outages = reserveSharedOutages(count);
  const instanceId = randomToken(systemRandom, 12);
  const counters = createSharedLimiter(limits, count + 1);
  const passwords = createPasswords({ cost: settings.bcryptCost });
  const workers = new Map<number, WorkerHandle>();
  const own = createMetrics({ clock: systemClock, steadyClock });
  own.addSources({ hashing: () => passwords.load, stores: { database: stores.health } });
  const metrics = createWorkerMetrics(own, workers);
  const restarts = Array.from({ length: count + 1 }, createRestarts);
  const timers = new Set<NodeJS.Timeout>();
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined);
  let phase: "starting" | "running" | "stopping" = "starting";
  let draining = false;

  function start(number: number, port: number): Promise<string> {
    const workerData = { number, settings: { ...settings, secret, port }, limits, outages, instanceId };
    const worker = startWorker(entry, workerData, { passwords, metricsText: metrics.text });
    workers.set(number, worker);
    if (draining) worker.tell({ kind: "drain" });
    void worker.ended.then((cause) => {
      counters.releaseHeldBy(number);
      workers.delete(number);
      metrics.ended(number);
      if (phase === "running") startAgain(number, port, cause);
    });
    return worker.ready;
  }

  function startAgain(number: number, port: number, cause: unknown): void {
    const delayMs = restarts[number]!.noteEnd(steadyClock.now());
    if (delayMs === undefined) {
      void giveUp(
        Object.assign(new Error(`worker ${number} keeps ending: ${textOf(cause)}`), {
          code: "ERR_WORKER",
          cause,
        }),
      );
      return;
    }
    log.failure(new Error(`worker ${number} ended and starts again in ${delayMs} ms`, { cause }));
    const timer = setTimeout(() => {
      timers.delete(timer);
      start(number, port).catch(() => undefined);
    }, delayMs);
    timers.add(timer);
  }

  async function giveUp(error: Error): Promise<void> {
    const deadline = setTimeout(killAll, LAST_DRAIN_MS);
    await stop();
    clearTimeout(deadline);
    failure.reject(error);
  }

  function killAll(): void {
    for (const worker of workers.values()) worker.kill();
  }

  async function stop(): Promise<void> {
    phase = "stopping";
    housekeeping?.stop();
    for (const timer of timers) clearTimeout(timer);
    const living = [...workers.values()];
    for (const worker of living) worker.tell({ kind: "stop" });
    await Promise.all(living.map((worker) => worker.ended));
    await metricsServer?.stop();
    own.stop();
    await guard?.stop();
    await stores.close();
  }

  let guard: RestoreGuard | undefined;
  let housekeeping: { stop(): void } | undefined;
  let metricsServer: MetricsServer | undefined;
  try {
    await stores.migrate();
    guard = await startRestoreGuard({ audit: stores.audit, ...settings, onFailure: log.failure });
    if (settings.port !== 0) await requireFree(settings);
    // The first finds a free port where none is named; the others then share it.
    const url = await start(1, settings.port);
    const port = Number(new URL(url).port || 80);
    await Promise.all(Array.from({ length: count - 1 }, (_, i) => start(i + 2, port)));
    if (settings.metricsPort !== undefined) {
      const listen = { host: settings.host, port: settings.metricsPort };
      metricsServer = await startMetricsServer(metrics, listen, log.failure);
    }
    phase = "running";
    const keyring = openConfiguredKeyring(settings);
    housekeeping = startHousekeeping({
      stores,
      totpSecrets: totpSecretsOf({ keyring, random: systemRandom, ...settings }),
      signer: createStatementSigner(keyring),
      auditRetentionMs: settings.auditRetentionMs,
      clock: systemClock,
      onFailure: log.failure,
    });
    return {
      url,
      metricsUrl: metricsServer?.url,
      stores,
      readMetrics: own.read,
      failure: failure.promise,
      beginDrain() {
        draining = true;
        for (const worker of workers.values()) worker.tell({ kind: "drain" });
      },
      stop,
    };
  } catch (error) {
    phase = "stopping";
    killAll();
    await Promise.all([...workers.values()].map((worker) => worker.ended));
    own.stop();
    await guard?.stop();
    await stores.close();
    throw error;
  }
}

/** Listens once without sharing: else two services of one user would share a port unnoticed, each with its own limits. */
async function requireFree({ host, port }: Settings): Promise<void> {
  const probe = createServer().listen({ host, port });
  await once(probe, "listening");
  probe.close();
  await once(probe, "close");
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : "it stopped without an error";
}
