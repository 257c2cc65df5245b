import type { Clock } from "../kernel/clock.ts";

/** A clock that stands still until it is told to move. */
export interface ManualClock extends Clock {
  advance(byMs: number): void;
}

/** A clock for tests that starts at `startMs` (ms since the epoch). */
export function manualClock(startMs: number): ManualClock {
  let nowMs = startMs;
  return {
    now: () => nowMs,
    advance(byMs) {
      nowMs += byMs;
    },
  };
}
