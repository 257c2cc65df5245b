import { primaryCode, SQLITE_BUSY } from "./sqlite-errors.ts";

/** How long writes wait for another connection's before it is an outage. */
const PATIENCE_MS = 5000;
const LONGEST_PAUSE_MS = 25;

/**
 * Runs `attempt`, again and again while another connection holds the lock, for up to five seconds; then the error of
 * the last attempt is thrown. The waits are asynchronous in place of SQLite's `busy_timeout`, which would stop the
 * event loop: no request would be served meanwhile, and a lock held by this very process could never be released.
 * `attempt` must be all or nothing, as a statement outside a transaction and `BEGIN IMMEDIATE` are.
 *
 * The patience is one for all that is tried on a connection, one after the other: who stood in the queue while it ran
 * out has waited as long already. For as long again each has one attempt, so that no request waits for the sum of all.
 */
export function createWhileBusy(): <T>(attempt: () => T) => Promise<T> {
  let waitedMs = 0;
  let recovery: NodeJS.Timeout | undefined;

  function recover(): void {
    waitedMs = 0;
    clearTimeout(recovery);
    recovery = undefined;
  }

  return async (attempt) => {
    for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        const result = attempt();
        recover();
        return result;
      } catch (error) {
        if (primaryCode(error) !== SQLITE_BUSY) throw error;
        if (waitedMs >= PATIENCE_MS) {
          recovery ??= setTimeout(recover, PATIENCE_MS).unref();
          throw error;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      waitedMs += pauseMs;
    }
  };
}
