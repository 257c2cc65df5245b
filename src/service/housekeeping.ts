import type { Clock } from "../kernel/clock.ts";
import type { Stores } from "../stores/open.ts";

const EVERY_MS = 3_600_000;
/** What is over is kept this long, for people who ask what happened yesterday (ms). */
const KEPT_MS = 7 * 86_400_000;

/** Removes sessions, refresh tokens, revocations and counts of failed sign-ins that are over, once an hour (ASVS V14.2.7). */
export function startHousekeeping(
  stores: Pick<Stores, "sessions" | "refreshTokens" | "revocations" | "lockouts">,
  clock: Clock,
  onFailure: (error: unknown) => void,
): { stop(): void } {
  async function purge(): Promise<void> {
    const beforeMs = clock.now() - KEPT_MS;
    await stores.refreshTokens.purge(beforeMs);
    await stores.sessions.purge(beforeMs);
    await stores.revocations.purge(clock.now());
    await stores.lockouts.purge(clock.now());
  }
  const timer = setInterval(() => void purge().catch(onFailure), EVERY_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
