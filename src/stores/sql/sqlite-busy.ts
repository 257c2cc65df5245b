import { primaryCode, SQLITE_BUSY } from "./sqlite-errors.ts";

/** How long a write waits for another connection's before it is an outage. */
const PATIENCE_MS = 5000;
const LONGEST_PAUSE_MS = 25;

/**
 * Runs `attempt`, again and again while another connection holds the lock, for up to five seconds; then the error of
 * the last attempt is thrown. The waits are asynchronous in place of SQLite's `busy_timeout`, which would stop the
 * event loop: no request would be served meanwhile, and a lock held by this very process could never be released.
 * `attempt` must be all or nothing, as a statement outside a transaction and `BEGIN IMMEDIATE` are.
 */
export async function whileBusy<T>(attempt: () => T): Promise<T> {
  let waitedMs = 0;
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      return attempt();
    } catch (error) {
      if (primaryCode(error) !== SQLITE_BUSY || waitedMs >= PATIENCE_MS) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    waitedMs += pauseMs;
  }
}
