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
