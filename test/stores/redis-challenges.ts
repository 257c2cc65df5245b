import type { TestContext } from "node:test";
import { generateSecret, openKeyring } from "../../src/crypto/keyring.ts";
import { createSealing } from "../../src/crypto/sealing.ts";
import type { ChallengeStore } from "../../src/identity/factors/challenge.ts";
import { systemRandom } from "../../src/kernel/random.ts";
import type { Breaker } from "../../src/stores/breaker.ts";
import { createBreaker } from "../../src/stores/breaker.ts";
import { createChallengeAnchors } from "../../src/stores/challenge-anchors.ts";
import { createFallbackChallengeStore } from "../../src/stores/fallback-challenges.ts";
import { createMemoryChallengeStore } from "../../src/stores/memory/challenge-store.ts";
import { challengeScripts, createRedisChallengeStore } from "../../src/stores/redis/challenge-store.ts";
import { openRedisConnection } from "../../src/stores/redis/connection.ts";
import { eventually } from "./eventually.ts";
import { startRedis } from "./redis-server.ts";

const SECRET = generateSecret(systemRandom);

export interface RedisChallengesOptions {
  readonly database?: ChallengeStore;
  readonly deadlineMs?: number;
  readonly secret?: string;
  readonly previous?: readonly string[];
}

/** Challenges of one instance. */
export interface RedisChallenges {
  /** In Redis alone. */
  readonly shared: ChallengeStore;
  /** As instances use them. */
  readonly challenges: ChallengeStore;
  readonly database: ChallengeStore;
  readonly breaker: Breaker;
  close(): void;
}

/** Opens them, once Redis answers. */
export async function openRedisChallenges(
  urls: readonly string[],
  options: RedisChallengesOptions = {},
): Promise<RedisChallenges> {
  const { database = createMemoryChallengeStore(), deadlineMs = 1000, secret = SECRET, previous } = options;
  const connection = openRedisConnection({ urls, deadlineMs });
  const keyring = openKeyring({ current: secret, ...(previous && { previous }) });
  const shared = createRedisChallengeStore({
    scripts: challengeScripts(connection),
    sealing: createSealing(keyring, "kyros/challenges", systemRandom),
    anchors: createChallengeAnchors(database, systemRandom, crypto.randomUUID()),
  });
  const breaker = createBreaker({ onOpen: () => {}, onClose: () => {} });
  await eventually(() => shared.find("none", 0));
  return {
    shared,
    challenges: createFallbackChallengeStore({ shared, database, breaker }),
    database,
    breaker,
    close: () => connection.close(),
  };
}

/** Two instances over one Redis and one database. */
export async function openTwo(t: TestContext, options: RedisChallengesOptions = {}) {
  const server = await startRedis();
  t.after(() => server.stop());
  const database = createMemoryChallengeStore();
  const [one, other] = await Promise.all(
    [0, 1].map(() => openRedisChallenges([server.url], { database, ...options })),
  );
  t.after(() => one!.close());
  t.after(() => other!.close());
  const keys = async () => (await server.command("keys", "*")) as string[];
  return { server, database, one: one!, other: other!, keys };
}

type TwoInstances = Awaited<ReturnType<typeof openTwo>>;

/** What an instance does while Redis stands still, and waits until Redis has done what was left over. */
export async function whileStopped<T>(
  { server, one, other }: TwoInstances,
  act: () => Promise<T>,
): Promise<T> {
  server.pause();
  try {
    return await act();
  } finally {
    server.resume();
    for (const { shared } of [one, other]) await eventually(() => shared.find("none", 0));
  }
}
