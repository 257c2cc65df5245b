const FIRST_DELAY_MS = 100;
const WINDOW_MS = 60_000;
/** So many ends within the window are a loop: what ends the worker is there still when it starts again. */
const LOOP = 5;

/** When a worker that ended by itself is started again. */
export interface Restarts {
  /** Notes an end; the milliseconds to wait, or `undefined` where there is no use in starting it again. */
  noteEnd(nowMs: number): number | undefined;
}

/** At once would be a loop at full speed: the first after 100 ms, each further one within a minute after twice as long. */
export function createRestarts(): Restarts {
  let endsMs: number[] = [];
  return {
    noteEnd(nowMs) {
      endsMs = [...endsMs.filter((endMs) => Math.abs(nowMs - endMs) < WINDOW_MS), nowMs];
      return endsMs.length < LOOP ? FIRST_DELAY_MS * 2 ** (endsMs.length - 1) : undefined;
    },
  };
}
