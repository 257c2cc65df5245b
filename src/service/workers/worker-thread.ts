/** The whole of a worker: the service, listening beside its siblings, until it is told to stop. */
import { parentPort, workerData } from "node:worker_threads";
import { steadyClock } from "../../kernel/clock.ts";
import { Outage } from "../../kernel/failure.ts";
import { createSharedLimiter } from "../../stores/memory/shared-limiter.ts";
import { openSharedOutages } from "../../stores/shared-outages.ts";
import { createLog } from "../log.ts";
import type { RunningService } from "../start.ts";
import { startService } from "../start.ts";
import type { FromWorker, ToWorker, WorkerData } from "./messages.ts";
import { createRemoteMetrics } from "./remote-metrics.ts";
import { createRemotePasswords } from "./remote-passwords.ts";

const { number, settings, limits, outages, instanceId } = workerData as WorkerData;
const port = parentPort!;
const send = (message: FromWorker): void => port.postMessage(message);
const passwords = createRemotePasswords(send);
const metrics = createRemoteMetrics(send);
const starting = startService(settings, createLog(settings.logLevel), {
  limiter: createSharedLimiter(limits, number, { clock: steadyClock }),
  instanceId,
  witness: openSharedOutages(outages, number),
  passwords,
  metrics,
});

port.on("message", (message: ToWorker) => {
  if (message.kind === "drain") void starting.then((service) => service.beginDrain());
  else if (message.kind === "stop") void starting.then(end);
  else if (message.kind === "read_metrics") void starting.then(tellMetrics);
  else if (message.kind === "metrics_text") metrics.settle(message.text);
  else passwords.settle(message);
});

try {
  send({ kind: "listening", url: (await starting).url });
} catch (error) {
  send({ kind: "not_started", message: textOf(error), code: codeOf(error) });
  port.close();
}

async function tellMetrics(service: RunningService): Promise<void> {
  send({ kind: "metrics", readings: await service.readMetrics() });
}

async function end(service: RunningService): Promise<void> {
  await service.stop();
  // Of this thread alone; a timer somewhere must not keep the others waiting.
  process.exit(0);
}

function textOf(error: unknown): string {
  if (error instanceof Outage && error.cause instanceof Error)
    return `${error.message}: ${error.cause.message}`;
  return error instanceof Error ? error.message : String(error);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "ERR_WORKER_NOT_STARTED";
}
