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

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** The instant that a text of RFC 3339 names; `undefined` for any other text, and for a day that no calendar has. */
export function fromRfc3339(text: string): number | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [, year, month, day] = match;
  // `Date` goes on counting where a month is over: it reads the 30th of February as the 2nd of March.
  const lastDay = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  const instantMs = Number(day) > lastDay ? Number.NaN : Date.parse(text);
  return Number.isNaN(instantMs) ? undefined : instantMs;
}
