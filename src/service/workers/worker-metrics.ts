import { combineReadings, countersOf } from "../../telemetry/combine-readings.ts";
import type { Exposition } from "../../telemetry/exposition.ts";
import { EXPOSITION_TYPE, expositionOf, shareText } from "../../telemetry/exposition.ts";
import type { FamilyReading } from "../../telemetry/metric-family.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import type { WorkerHandle } from "./start-worker.ts";

/** Metrics of all workers as of one service. */
export interface WorkerMetrics extends Exposition {
  /** Keeps what a worker has counted, which has ended and will not be asked again. */
  ended(number: number): void;
}

/** A worker that has not answered by then is busy, or hangs: a scrape must not hang with it (ms). */
const DEADLINE_MS = 1000;

/**
 * Asks every worker at each scrape. One that does not answer within a second is left out, but for what it had counted
 * at the scrape before: a counter that went back would look to Prometheus like a restart.
 */
export function createWorkerMetrics(
  own: Pick<Metrics, "read">,
  workers: ReadonlyMap<number, Pick<WorkerHandle, "readMetrics">>,
): WorkerMetrics {
  const latest = new Map<number, readonly FamilyReading[]>();
  let departed: readonly FamilyReading[] = [];

  async function ask(number: number, worker: Pick<WorkerHandle, "readMetrics">) {
    const readings = await within(worker.readMetrics(), DEADLINE_MS);
    if (readings !== undefined && workers.get(number) === worker) latest.set(number, countersOf(readings));
    return readings;
  }

  async function read(): Promise<string> {
    const asked = [...workers].sort(([one], [other]) => one - other);
    const [mine, ...theirs] = await Promise.all([
      own.read(),
      ...asked.map(([number, worker]) => ask(number, worker)),
    ]);
    return expositionOf(
      combineReadings([
        { thread: "main", readings: mine },
        ...asked.map(([number, worker], i) => {
          // What one had counted that ended meanwhile is among the departed.
          const known = workers.get(number) === worker ? (theirs[i] ?? latest.get(number) ?? []) : [];
          return { thread: String(number), readings: known };
        }),
        { thread: "departed", readings: departed },
      ]),
    );
  }

  return {
    contentType: EXPOSITION_TYPE,
    text: shareText(read),
    ended(number) {
      const counted = latest.get(number);
      latest.delete(number);
      if (counted === undefined) return;
      departed = combineReadings([
        { thread: "departed", readings: departed },
        { thread: "departed", readings: counted },
      ]);
    },
  };
}

async function within<T>(answer: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
