import type { Allowance } from "../../kernel/exchange.ts";
import type { LimitPolicy } from "../../kernel/limiter.ts";

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
