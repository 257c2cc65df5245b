import type { Settings } from "../config/settings.ts";
import type { Keyring } from "../crypto/keyring.ts";
import { createSealing } from "../crypto/sealing.ts";
import type { ChallengeStore } from "../identity/factors/challenge.ts";
import { systemRandom } from "../kernel/random.ts";
import type { OutageEvents } from "../stores/outage-events.ts";
import type { SharedLimits, ThreadsOfInstance } from "../stores/shared-limits.ts";

/** What the instances share by Redis, where the settings name one. Its driver is loaded only then. */
export async function openRedis(
  settings: Pick<Settings, "redisUrls" | "redisDeadlineMs">,
  keyring: Keyring,
  outages: OutageEvents,
  threads?: ThreadsOfInstance,
): Promise<SharedLimits | undefined> {
  if (settings.redisUrls.length === 0) return undefined;
  const { openSharedLimits } = await import("../stores/shared-limits.ts");
  return openSharedLimits({
    urls: settings.redisUrls,
    deadlineMs: settings.redisDeadlineMs,
    hashKey: keyring.derive("kyros/limit-keys", 16),
    random: systemRandom,
    threads,
    ...outages,
  });
}

/** The stores, their challenges in Redis where there is one. */
export function withSharedChallenges<S extends { readonly challenges: ChallengeStore }>(
  stores: S,
  redis: SharedLimits | undefined,
  keyring: Keyring,
): S {
  if (redis === undefined) return stores;
  const sealing = createSealing(keyring, "kyros/challenges", systemRandom);
  return { ...stores, challenges: redis.challengesOver(stores.challenges, sealing) };
}
