import type { Settings } from "../config/settings.ts";
import type { Keyring } from "../crypto/keyring.ts";
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
