import type { ChallengeStore } from "../identity/factors/challenge.ts";
import type { Bus } from "../kernel/bus.ts";
import { steadyClock } from "../kernel/clock.ts";
import type { Limiter } from "../kernel/limiter.ts";
import type { Random } from "../kernel/random.ts";
import { randomToken } from "../kernel/random.ts";
import type { BreakerView } from "./breaker.ts";
import { createBreaker } from "./breaker.ts";
import { createChallengeAnchors } from "./challenge-anchors.ts";
import { createFallbackChallengeStore } from "./fallback-challenges.ts";
import type { LocalLimiter } from "./fallback-limiter.ts";
import { createFallbackLimiter } from "./fallback-limiter.ts";
import { createMemoryLimiter } from "./memory/memory-limiter.ts";
import type { OutageEvents } from "./outage-events.ts";
import { outageEvents } from "./outage-events.ts";
import type { ChallengeSealing } from "./redis/challenge-store.ts";
import { challengeScripts, createRedisChallengeStore } from "./redis/challenge-store.ts";
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
  /** Challenges in Redis, over a database that stands in for it and says what was taken away. */
  challengesOver(database: ChallengeStore, sealing: ChallengeSealing): ChallengeStore;
  readonly breaker: BreakerView;
  /** How many instances there are, as far as is known. */
  readonly instances: () => number;
  /** Tells the others and closes every connection, within the deadline. */
  close(): Promise<void>;
}

/** Slots of a cluster that counters are spread over: each that a turn touches costs a call. */
const CLUSTER_PARTITIONS = 32;

/** Opens what instances share: limits, challenges and the bus. Without Redis it opens all the same, degraded, within 1 s. */
export async function openSharedLimits(options: SharedLimitsOptions): Promise<SharedLimits> {
  const { urls, hashKey, deadlineMs = 50, random, threads } = options;
  const id = randomToken(random, 12);
  const connection = openRedisConnection({ urls, deadlineMs });
  const shared = createRedisLimiter({
    run: connection.script("kyrosTake", GCRA_SCRIPT),
    hashKey,
    partitions: urls.length > 1 ? CLUSTER_PARTITIONS : 1,
  });
  const scripts = challengeScripts(connection);
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
    challengesOver: (database, sealing) =>
      createFallbackChallengeStore({
        shared: createRedisChallengeStore({
          scripts,
          sealing,
          anchors: createChallengeAnchors(database, random, id),
        }),
        database,
        breaker,
      }),
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
