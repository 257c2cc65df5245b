import type { Allowance } from "../../kernel/exchange.ts";
import type { LimitPolicy } from "../../kernel/limiter.ts";
import type { GcraRate } from "./gcra-rate.ts";

/** What a client is told that owes `backlog` units after the request that was `allowed` or not. */
export function gcraAllowance(
  policy: LimitPolicy,
  rate: GcraRate,
  backlog: number,
  allowed: boolean,
): Allowance {
  const { unitsPerSecond, emission, capacity } = rate;
  const spare = capacity - backlog;
  return {
    policy: policy.name,
    limit: policy.limit,
    windowSeconds: Math.ceil(policy.windowMs / 1000),
    remaining: spare < emission ? 0 : Math.floor(spare / emission),
    resetSeconds: Math.ceil(backlog / unitsPerSecond),
    allowed,
    retryAfterSeconds: spare < emission ? Math.ceil((emission - spare) / unitsPerSecond) : 0,
  };
}

/** The answer where there is no place to count: nothing is counted, so nothing is allowed. */
export function closedAllowance({ name, limit, windowMs }: LimitPolicy): Allowance {
  const windowSeconds = Math.ceil(windowMs / 1000);
  return {
    policy: name,
    limit,
    windowSeconds,
    remaining: 0,
    resetSeconds: windowSeconds,
    allowed: false,
    retryAfterSeconds: Math.ceil(windowMs / limit / 1000),
  };
}
