import type { Breaker } from "../breaker.ts";
import { isLate } from "../deadline.ts";
import { isAway } from "./postgres-probe.ts";

export interface WatchPostgresOptions {
  readonly breaker: Breaker;
  /** Asks the server within so many milliseconds; rejects with the driver's error. */
  readonly ask: (withinMs: number) => Promise<void>;
}

const EVERY_MS = 250;
/** After a refusal: whether it was a hiccup is to be known soon. */
const AGAIN_MS = 50;
/** A server that has not answered for so long, while this process could run, is away: a call may take longer. */
const LATE_MS = 2000;
/** While it is away, a question is given up sooner: a host that is back does not answer what was asked before. */
const LATE_WHILE_AWAY_MS = 750;

/**
 * Asks PostgreSQL all the time, also while nobody else does: this alone opens the breaker and closes it. No call has a
 * vote, as its failure does not tell a server that is gone from an expensive statement, a lock, or a pool that is busy.
 */
export function watchPostgres({ breaker, ask }: WatchPostgresOptions): { stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  /** Resolves to the pause until the next question (ms). */
  async function look(): Promise<number> {
    const isClosed = breaker.state() === "closed";
    try {
      await ask(isClosed ? LATE_MS : LATE_WHILE_AWAY_MS);
    } catch (error) {
      if (isStopped) return EVERY_MS;
      if (isLate(error)) breaker.open(error);
      // A server that refuses this one question, as one with no connection to spare does, may serve all others.
      else if (!isClosed || isAway(error)) breaker.probeFailed(error);
      return isClosed ? AGAIN_MS : EVERY_MS;
    }
    if (!isStopped) breaker.probeSucceeded();
    return EVERY_MS;
  }

  function schedule(pauseMs: number): void {
    if (isStopped) return;
    timer = setTimeout(() => void look().then(schedule), pauseMs);
    timer.unref();
  }

  schedule(EVERY_MS);
  return {
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
