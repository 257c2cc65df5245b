import { parseDuration } from "../kernel/duration.ts";
import type { LimitPolicy } from "../kernel/limiter.ts";

/** So many requests in so long, as people write it: `100/15m`. */
export type Limit = Pick<LimitPolicy, "limit" | "windowMs">;

const LIMIT = /^([1-9][0-9]{0,9})\/([0-9]{1,9}[smhd])$/;
const HIGHEST_LIMIT = 1e9;
const LONGEST_WINDOW_MS = 366 * 86_400_000;

/** How much more one address may do than one client: several share it, and each request is charged before it is known. */
const ADDRESS_FACTOR = 100;

/** Reads `100/15m` or `1000/1h`: 1 to 10^9 requests in 1 s to 366 days; `undefined` for anything else. */
export function parseLimit(text: string): Limit | undefined {
  const match = LIMIT.exec(text);
  if (match === null) return undefined;
  const limit = Number(match[1]);
  const windowMs = parseDuration(match[2]!);
  return windowMs === undefined || limit > HIGHEST_LIMIT || windowMs > LONGEST_WINDOW_MS
    ? undefined
    : { limit, windowMs };
}

const NAMED_LIMIT = /^(?:([a-z][a-z0-9_-]{0,31}):)?([0-9]{1,10}\/[0-9]{1,9}[smhd])$/;

/** Reads a limit that may have a name of its own, like `burst:20/1s`; without one its name is `key`. */
export function parseNamedLimit(text: string): LimitPolicy | undefined {
  const match = NAMED_LIMIT.exec(text);
  const limit = match === null ? undefined : parseLimit(match[2]!);
  return limit && { name: match?.[1] ?? "key", ...limit };
}

/** Writes a limit as `parseLimit` reads it, in the largest unit that fits. Throws a RangeError for parts of a second. */
export function formatLimit({ limit, windowMs }: Limit): string {
  for (const [unit, unitMs] of UNITS) {
    if (windowMs % unitMs === 0) return `${limit}/${windowMs / unitMs}${unit}`;
  }
  throw new RangeError("a limit's window is written in whole seconds");
}

const UNITS: readonly (readonly [unit: string, unitMs: number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
];

/** The policy of clients: users, API keys, and addresses where nobody is known. */
export function defaultPolicy({ limit, windowMs }: Limit): LimitPolicy {
  return { name: "default", limit, windowMs };
}

/** The ceiling of all that comes from one address, a hundred times what one client may do. */
export function addressPolicy({ limit, windowMs }: Limit): LimitPolicy {
  return { name: "address", limit: Math.min(limit * ADDRESS_FACTOR, HIGHEST_LIMIT), windowMs };
}
