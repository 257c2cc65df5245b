/** A worker that dies of an uncaught error as long as, or once, a file says so. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { workerData } from "node:worker_threads";

const { number, settings } = workerData;

setInterval(() => {
  const once = join(settings.dataDir, `end-worker-${number}-once`);
  if (existsSync(once)) {
    rmSync(once);
    throw new Error("ended on demand");
  }
  if (existsSync(join(settings.dataDir, `end-worker-${number}`))) throw new Error("ended on demand");
}, 10);

await import("../../../src/service/workers/worker-thread.ts");
