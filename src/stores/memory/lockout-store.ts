import type { Lockout, LockoutStore } from "../../identity/accounts/lockout.ts";
import { ELSEWHERE, isLockedAt, judgeAttempt } from "../../identity/accounts/lockout.ts";

/** As many names are kept without looking for expired ones: names are of the callers' choosing. */
const SWEEP_ABOVE = 10_000;

/** Lockouts in memory: gone with the process. */
export function createMemoryLockoutStore(): LockoutStore {
  const names = new Map<string, Map<string, Lockout>>();
  let sweepAbove = SWEEP_ABOVE;

  function remove(nameHash: string, placeHash: string): void {
    const places = names.get(nameHash);
    places?.delete(placeHash);
    if (places?.size === 0) names.delete(nameHash);
  }

  function put(lockout: Lockout, atMs: number): void {
    const { nameHash, placeHash } = lockout;
    const places = names.get(nameHash) ?? new Map<string, Lockout>();
    places.set(placeHash, Object.freeze({ ...lockout }));
    names.set(nameHash, places);
    if (names.size > sweepAbove) {
      sweep(atMs);
      sweepAbove = Math.max(SWEEP_ABOVE, 2 * names.size);
    }
  }

  function sweep(beforeMs: number): number {
    const expired = names
      .values()
      .flatMap((places) => places.values().filter(({ expiresAtMs }) => expiresAtMs < beforeMs))
      .toArray();
    for (const { nameHash, placeHash } of expired) remove(nameHash, placeHash);
    return expired.length;
  }

  return {
    async settle(attempt) {
      const { nameHash, placeHash, atMs } = attempt;
      const places = names.get(nameHash);
      const place = placeHash === null ? undefined : places?.get(placeHash);
      const judged = judgeAttempt(attempt, place, places?.get(ELSEWHERE));
      if (judged.forgetsElsewhere) remove(nameHash, ELSEWHERE);
      if (judged.put !== undefined) put(judged.put, atMs);
      return judged.outcome;
    },
    async unlock(nameHash, nowMs) {
      const places = names.get(nameHash)?.values().toArray() ?? [];
      for (const place of places) {
        if (place.placeHash === ELSEWHERE) remove(nameHash, ELSEWHERE);
        else put({ ...place, failures: 0, lockedUntilMs: null }, nowMs);
      }
      return places.some((place) => isLockedAt(place, nowMs));
    },
    async lockedUntil(nameHashes, nowMs) {
      const locked = new Map<string, number>();
      for (const nameHash of nameHashes) {
        const holding =
          names
            .get(nameHash)
            ?.values()
            .filter((place) => isLockedAt(place, nowMs)) ?? [];
        const ends = [...holding].map(({ lockedUntilMs }) => lockedUntilMs!);
        if (ends.length > 0) locked.set(nameHash, Math.max(...ends));
      }
      return locked;
    },
    purge: async (beforeMs) => sweep(beforeMs),
  };
}
