import type { ChallengeStore } from "../identity/factors/challenge.ts";
import { Outage } from "../kernel/failure.ts";
import type { Breaker } from "./breaker.ts";

export interface FallbackChallengesOptions {
  /** In Redis; rejects with an `Outage` of `redis` where that does not answer in time. */
  readonly shared: ChallengeStore;
  /** What is there also without Redis, and what the anchors of `shared` stand in. */
  readonly database: ChallengeStore;
  readonly breaker: Breaker;
}

/**
 * Challenges in Redis, and in the database while that is away: those that are begun then are found there, by every
 * instance and also afterwards. One that only Redis has is as one that has expired, until Redis is back. The database's
 * own outages are the caller's to hear of.
 */
export function createFallbackChallengeStore(options: FallbackChallengesOptions): ChallengeStore {
  const { shared, database, breaker } = options;

  /** What Redis says; `undefined` also where it does not say it in time. */
  async function ask<T>(question: () => Promise<T>): Promise<T | undefined> {
    if (breaker.state() !== "closed") return undefined;
    try {
      return await question();
    } catch (error) {
      if (!(error instanceof Outage) || error.dependency !== "redis") throw error;
      breaker.failed(error.cause);
      return undefined;
    }
  }

  return {
    async open(challenge, nowMs) {
      const isOpen = await ask(async () => {
        await shared.open(challenge, nowMs);
        return true;
      });
      if (!isOpen) await database.open(challenge, nowMs);
    },
    find: async (hash, nowMs) => (await ask(() => shared.find(hash, nowMs))) ?? database.find(hash, nowMs),
    try: async (hash, nowMs, mostTries) =>
      (await ask(() => shared.try(hash, nowMs, mostTries))) ?? database.try(hash, nowMs, mostTries),
    consume: async (hash, nowMs) =>
      (await ask(() => shared.consume(hash, nowMs))) ?? database.consume(hash, nowMs),
    // Takes away the anchors with the rows, and with those what hangs on them in Redis.
    cancelAll: (userId) => database.cancelAll(userId),
    purge: (beforeMs) => database.purge(beforeMs),
  };
}
