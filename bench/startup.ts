import { setTimeout as delay } from "node:timers/promises";
import type { Report, RunOptions } from "./report.ts";
import { settings, startService, withDataDir } from "./service.ts";
import { median } from "./statistics.ts";

const GOAL_MS = 1000;
const READY_DEADLINE_MS = 30_000;
const POLL_MS = 2;
/** As `npm start` has it. */
const COMPILE_CACHE = new URL("../node_modules/.cache/kyros", import.meta.url).pathname;

async function untilHealthy(url: string): Promise<void> {
  const deadlineMs = performance.now() + READY_DEADLINE_MS;
  while (performance.now() < deadlineMs) {
    const response = await fetch(new URL("/healthz", url), {
      signal: AbortSignal.timeout(READY_DEADLINE_MS),
    }).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.status === 200) return;
    await delay(POLL_MS);
  }
  throw new Error(`${url}/healthz did not answer 200 within ${READY_DEADLINE_MS} ms`);
}

/** Milliseconds from the spawn of a service that has never run before to its first 200 from /healthz. */
function measureStart(): Promise<number> {
  return withDataDir(async (dataDir) => {
    const beganMs = performance.now();
    const service = await startService({ ...settings(dataDir), NODE_COMPILE_CACHE: COMPILE_CACHE });
    try {
      await untilHealthy(service.match[1]!);
      return performance.now() - beganMs;
    } finally {
      await service.stop();
    }
  });
}

/** Measures the start of the service on an empty data directory, against a budget of one second. */
export async function run({ rounds = 5 }: RunOptions = {}): Promise<Report> {
  const startsMs: number[] = [];
  for (let round = 0; round < rounds; round++) startsMs.push(await measureStart());
  return {
    name: "startup",
    rows: [
      {
        what: "spawn to first 200 of /healthz",
        against: `${GOAL_MS} ms`,
        ratio: median(startsMs) / GOAL_MS,
        goal: 1,
        bound: "atMost",
        unit: "time",
      },
    ],
    measurements: {
      columns: ["start", "ms"],
      rows: startsMs.map((ms, at) => [String(at + 1), ms.toFixed(0)]),
      notes: [`The ratio is of the median of ${rounds} starts, each with an empty data directory.`],
    },
  };
}
