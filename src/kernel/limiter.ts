import type { Awaitable } from "./awaitable.ts";
import type { Allowance } from "./exchange.ts";

/** How many requests in how long, as data: `name` is what the response's headers call it. */
export interface LimitPolicy {
  readonly name: string;
  /** Requests that a client may make at once, and per window. */
  readonly limit: number;
  readonly windowMs: number;
  /**
   * What holds while the counter that instances share is away. Each grants its share of the limit on its own, rounded
   * up (`local`, the default); or rounded down, and what it granted since the number of instances last changed counts
   * in (`strict`); or nothing, and the caller gets an `Outage` (`deny`).
   */
  readonly onOutage?: "local" | "strict" | "deny";
}

/**
 * The port of rate limits. `take` is atomic: of any number of concurrent calls for one key, exactly as many are
 * allowed as the policy grants.
 */
export interface Limiter {
  take(policy: LimitPolicy, key: string, nowMs: number): Awaitable<Allowance>;
}
