import { Worker } from "node:worker_threads";
import type { Passwords } from "../../crypto/password.ts";
import type { FamilyReading } from "../../telemetry/metric-family.ts";
import type { FromWorker, ToWorker, WorkerData } from "./messages.ts";
import { servePasswords } from "./remote-passwords.ts";

/** One worker, as the thread sees it that started it. */
export interface WorkerHandle {
  /** Its URL, once it accepts connections; rejects where it ends before. */
  readonly ready: Promise<string>;
  /** Resolves when the thread is gone, with what ended it where that was an error. */
  readonly ended: Promise<unknown>;
  tell(message: ToWorker): void;
  /** What it has counted. A worker that is busy or ended may never answer. */
  readMetrics(): Promise<readonly FamilyReading[]>;
  /** Ends it at once, whatever it does. */
  kill(): void;
}

/** It could not start: one line, as node's own errors have a `code` and a message for people. */
function notStarted(message: string, code: string): Error {
  const text =
    code === "ENOTSUP" || code === "EINVAL"
      ? "several workers need SO_REUSEPORT, which this system does not have: leave out --workers"
      : message;
  return Object.assign(new Error(text), { code });
}

/** What a worker asks of the thread that started it. */
export interface WorkerServices {
  readonly passwords: Passwords;
  /** The metrics of all workers. */
  metricsText(): Promise<string>;
}

/** Starts a worker. `entry` is the module that is its whole program. */
export function startWorker(
  entry: URL,
  workerData: WorkerData,
  { passwords, metricsText }: WorkerServices,
): WorkerHandle {
  const worker = new Worker(entry, { workerData, name: `kyros worker ${workerData.number}` });
  const ready = Promise.withResolvers<string>();
  const ended = Promise.withResolvers<unknown>();
  // Who only wants to know that it ended need not wait for its start, too.
  ready.promise.catch(() => undefined);
  const tell = (message: ToWorker): void => worker.postMessage(message);
  const jobs = servePasswords(passwords, tell);
  let reading: PromiseWithResolvers<readonly FamilyReading[]> | undefined;
  let cause: unknown;

  function readMetrics(): Promise<readonly FamilyReading[]> {
    if (reading === undefined) {
      reading = Promise.withResolvers();
      tell({ kind: "read_metrics" });
    }
    return reading.promise;
  }

  worker.on("message", (message: FromWorker) => {
    switch (message.kind) {
      case "listening":
        return ready.resolve(message.url);
      case "not_started":
        cause = notStarted(message.message, message.code);
        return ready.reject(cause);
      case "metrics":
        reading?.resolve(message.readings);
        reading = undefined;
        return;
      case "ask_metrics":
        metricsText().then(
          (text) => tell({ kind: "metrics_text", text }),
          () => tell({ kind: "metrics_text", text: undefined }),
        );
        return;
      case "abandon":
        return jobs.abandon(message.id);
      default:
        void jobs.run(message);
    }
  });
  worker.on("error", (error) => {
    cause = error;
  });
  worker.on("exit", (exitCode) => {
    jobs.abandonAll();
    ready.reject(cause ?? notStarted(`a worker ended with ${exitCode} before it was ready`, "ERR_WORKER"));
    ended.resolve(cause);
  });

  return {
    ready: ready.promise,
    ended: ended.promise,
    tell,
    readMetrics,
    kill: () => void worker.terminate(),
  };
}
