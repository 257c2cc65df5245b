import type { Allowance } from "../kernel/exchange.ts";
import type { LimitPolicy } from "../kernel/limiter.ts";

/** A policy in whole numbers, so that no rounding ever adds or takes a request. */
export interface GcraRate {
  readonly windowMs: number;
  /** Units of this policy's own time in a millisecond. */
  readonly unitsPerMs: number;
  readonly unitsPerSecond: number;
  /** Units that one request costs: ITU-T I.371 calls it the increment, others the emission interval. */
  readonly emission: number;
  /** Units that `limit` requests cost. */
  readonly capacity: number;
}

const LONGEST_WINDOW_MS = 366 * 86_400_000;
const HIGHEST_LIMIT = 1e9;

/** Leaves times of up to twice a window away, and sums of them, below 2^53 where doubles are exact. */
const MOST_UNITS = 2 ** 51;

/**
 * Brings a policy to whole units: the smallest unit of which both a millisecond and a request's cost are multiples.
 * Where a window had more than 2^51 of those, the unit is larger and the cost rounded up: `limit` requests may still
 * come at once, and are back at most five in ten million later than the policy says, never sooner.
 * Throws a RangeError unless the limit is a whole number of 1 to 10^9 and the window one of 1 ms to 366 days.
 */
export function compileRate({ name, limit, windowMs }: LimitPolicy): GcraRate {
  if (!Number.isInteger(limit) || limit < 1 || limit > HIGHEST_LIMIT) {
    throw new RangeError(
      `limit policy "${name}": the limit must be a whole number from 1 to ${HIGHEST_LIMIT}`,
    );
  }
  if (!Number.isInteger(windowMs) || windowMs < 1 || windowMs > LONGEST_WINDOW_MS) {
    throw new RangeError(`limit policy "${name}": the window must be whole milliseconds, at most 366 days`);
  }
  const unitsPerMs = Math.min(limit / greatestDivisor(limit, windowMs), Math.floor(MOST_UNITS / windowMs));
  const emission = Math.ceil((windowMs * unitsPerMs) / limit);
  return { windowMs, unitsPerMs, unitsPerSecond: unitsPerMs * 1000, emission, capacity: emission * limit };
}

/**
 * What an entry owes at an instant, in units: the time until its TAT. A clock that is set back makes it more than the
 * capacity, and it stays so: were it cut, setting the clock forward again would grant what was never waited for. Only
 * where the next request would have to wait for more than a window is it cut to the capacity, so that a clock that was
 * far ahead for a while locks nobody out.
 */
export function backlogAt(
  { capacity, emission }: Pick<GcraRate, "capacity" | "emission">,
  tat: number,
  nowUnits: number,
): number {
  const backlog = tat - nowUnits;
  if (backlog <= 0) return 0;
  return backlog + emission - capacity > capacity ? capacity : backlog;
}

/** What a decision tells the client, who owes `backlog` units after it. */
export function allowanceOf(
  { name, limit, windowMs }: LimitPolicy,
  { unitsPerSecond, emission, capacity }: GcraRate,
  backlog: number,
  allowed: boolean,
): Allowance {
  const spare = capacity - backlog;
  return {
    policy: name,
    limit,
    windowSeconds: Math.ceil(windowMs / 1000),
    remaining: spare < emission ? 0 : Math.floor(spare / emission),
    resetSeconds: Math.ceil(backlog / unitsPerSecond),
    allowed,
    retryAfterSeconds: spare < emission ? Math.ceil((emission - spare) / unitsPerSecond) : 0,
  };
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
