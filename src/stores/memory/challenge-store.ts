import type { Challenge, ChallengeStore } from "../../identity/factors/challenge.ts";

/** As many are kept without looking for expired ones: anybody may begin to sign in. */
const SWEEP_ABOVE = 10_000;

/** Challenges in memory: gone with the process. */
export function createMemoryChallengeStore(): ChallengeStore {
  const challenges = new Map<string, Challenge>();
  let sweepAbove = SWEEP_ABOVE;

  function find(hash: string, nowMs: number): Challenge | undefined {
    const found = challenges.get(hash);
    return found !== undefined && nowMs < found.expiresAtMs ? found : undefined;
  }

  function remove(isOver: (challenge: Challenge) => boolean): number {
    const over = challenges.values().filter(isOver).toArray();
    for (const { hash } of over) challenges.delete(hash);
    return over.length;
  }

  return {
    async open(challenge, nowMs) {
      if (challenges.has(challenge.hash)) throw new Error("a challenge with this hash exists");
      challenges.set(challenge.hash, Object.freeze({ ...challenge }));
      if (challenges.size > sweepAbove) {
        remove(({ expiresAtMs }) => expiresAtMs < nowMs);
        sweepAbove = Math.max(SWEEP_ABOVE, 2 * challenges.size);
      }
    },
    find: async (hash, nowMs) => find(hash, nowMs),
    async try(hash, nowMs, mostTries) {
      const found = find(hash, nowMs);
      if (found === undefined || found.tries >= mostTries) return undefined;
      const tried = Object.freeze({ ...found, tries: found.tries + 1 });
      challenges.set(hash, tried);
      return tried;
    },
    async consume(hash, nowMs) {
      const found = find(hash, nowMs);
      if (found !== undefined) challenges.delete(hash);
      return found;
    },
    async cancelAll(userId) {
      remove((challenge) => challenge.userId === userId);
    },
    purge: async (beforeMs) => remove(({ expiresAtMs }) => expiresAtMs < beforeMs),
  };
}
