/** Where the time comes from: milliseconds since the Unix epoch. The only file that reads the system's clock. */
export interface Clock {
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** An instant as RFC 3339 in UTC, the form every answer uses. */
export function toRfc3339(instantMs: number): string {
  return new Date(instantMs).toISOString();
}
