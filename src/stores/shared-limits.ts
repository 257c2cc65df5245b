import type { Bus } from "../kernel/bus.ts";
import { steadyClock } from "../kernel/clock.ts";
import type { Limiter } from "../kernel/limiter.ts";
import type { Random } from "../kernel/random.ts";
import { randomToken } from "../kernel/random.ts";
import type { BreakerView } from "./breaker.ts";
import { createBreaker } from "./breaker.ts";
import type { LocalLimiter } from "./fallback-limiter.ts";
import { createFallbackLimiter } from "./fallback-limiter.ts";
import { createMemoryLimiter } from "./memory/memory-limiter.ts";
import type { OutageEvents } from "./outage-events.ts";
import { outageEvents } from "./outage-events.ts";
import { openRedisConnection } from "./redis/connection.ts";
import { GCRA_SCRIPT } from "./redis/gcra-script.ts";
import { createInstances, FAREWELL_SCRIPT, HEARTBEAT_SCRIPT } from "./redis/instances.ts";
import { createRedisBus } from "./redis/redis-bus.ts";
import { createRedisLimiter } from "./redis/redis-limiter.ts";
import { watchRedis } from "./redis/watch-redis.ts";

/** What the threads of one instance have in common. */
export interface ThreadsOfInstance {
  /** By which other instances know it, and different from all others'. */
  readonly instanceId: string;
  /** Counts for all of them. */
  readonly local: LocalLimiter;
}

export interface SharedLimitsOptions extends OutageEvents {
  /** One Redis server, or several nodes of a cluster. */
  readonly urls: readonly string[];
  /** 16 bytes that all instances share and nobody else knows: counters are found by them. */
  readonly hashKey: Uint8Array;
  /** How long a command may take (ms); 50 unless told. */
  readonly deadlineMs?: number;
  readonly random: Random;
  /** Where several threads are one instance. */
  readonly threads?: ThreadsOfInstance | undefined;
}

/** What instances share by Redis, and how they do without it. */
export interface SharedLimits {
  readonly limiter: Limiter;
  readonly bus: Bus;
  readonly breaker: BreakerView;
  /** How many instances there are, as far as is known. */
  readonly instances: () => number;
  /** Tells the others and closes every connection, within the deadline. */
  close(): Promise<void>;
}

/** Slots of a cluster that counters are spread over: each that a turn touches costs a call. */
const CLUSTER_PARTITIONS = 32;

/** Opens the limits and the bus that instances share. Without Redis it opens all the same, degraded, within 1 s. */
export async function openSharedLimits(options: SharedLimitsOptions): Promise<SharedLimits> {
  const { urls, hashKey, deadlineMs = 50, random, threads } = options;
  const id = randomToken(random, 12);
  const connection = openRedisConnection({ urls, deadlineMs });
  const shared = createRedisLimiter({
    run: connection.script("kyrosTake", GCRA_SCRIPT),
    hashKey,
    partitions: urls.length > 1 ? CLUSTER_PARTITIONS : 1,
  });
  const instances = createInstances(
    threads?.instanceId ?? id,
    connection.script("kyrosHeartbeat", HEARTBEAT_SCRIPT),
    connection.script("kyrosFarewell", FAREWELL_SCRIPT),
  );
  const breaker = createBreaker(
    outageEvents(options, {
      subject: "redis",
      recovered: "redis decides in time again",
      details: () => ({ instances: instances.count() }),
    }),
  );
  const watch = await watchRedis({ limiter: shared, instances, breaker });
  const bus = createRedisBus({ urls, id, publish: connection.publish });
  return {
    limiter: createFallbackLimiter({
      shared,
      local: threads?.local ?? createMemoryLimiter({ random, clock: steadyClock }),
      breaker,
      instances: instances.count,
    }),
    bus,
    breaker,
    instances: instances.count,
    async close() {
      watch.stop();
      await bus.close();
      await instances.leave().catch(() => {});
      connection.close();
    },
  };
}
