/** Where the time comes from: milliseconds since the Unix epoch. The only file that reads the system's clock. */
export interface Clock {
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/**
 * Milliseconds since an instant of the machine's own: it goes on evenly where the wall clock is set. One for all
 * threads and processes of a machine.
 */
export const steadyClock: Clock = {
  now() {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1000 + nanoseconds / 1e6;
  },
};

/** An instant as RFC 3339 in UTC, the form every answer uses. */
export function toRfc3339(instantMs: number): string {
  return new Date(instantMs).toISOString();
}
