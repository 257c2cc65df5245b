import type { Clock } from "../../kernel/clock.ts";
import { steadyClock } from "../../kernel/clock.ts";
import type { Breaker } from "../breaker.ts";
import type { Instances } from "./instances.ts";
import type { RedisLimiter } from "./redis-limiter.ts";

export interface WatchRedisOptions {
  readonly limiter: RedisLimiter;
  readonly instances: Instances;
  readonly breaker: Breaker;
  /** For durations. */
  readonly clock?: Clock;
}

/** Three probes in a row decide: with their deadlines, trouble and its end are seen within a second. */
const PROBE_EVERY_MS = 150;
/** A heartbeat goes with every so many probes: about one a second. */
const PROBES_PER_BEAT = 6;
/** How long a start waits for Redis (ms), and how often it asks meanwhile. */
const START_MS = 1000;
const START_EVERY_MS = 25;

/**
 * Probes Redis all the time, also while nobody asks for anything: it opens the breaker and closes it. Resolves once the
 * first probe has succeeded, or with the breaker open after a second.
 */
export async function watchRedis(options: WatchRedisOptions): Promise<{ stop(): void }> {
  const { limiter, instances, breaker, clock = steadyClock } = options;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  let probes = 0;

  async function probe(): Promise<void> {
    const beats = probes++ % PROBES_PER_BEAT === 0;
    await Promise.all([limiter.probe(), beats && instances.beat()]);
  }

  function schedule(): void {
    if (isStopped) return;
    timer = setTimeout(async () => {
      await probe().then(breaker.probeSucceeded, breaker.probeFailed);
      schedule();
    }, PROBE_EVERY_MS).unref();
  }

  const startedMs = clock.now();
  for (;;) {
    try {
      probes = 0;
      await probe();
      break;
    } catch (error) {
      if (clock.now() - startedMs >= START_MS) {
        breaker.open(error);
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, START_EVERY_MS));
    }
  }
  schedule();
  return {
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
