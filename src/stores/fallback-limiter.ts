import type { Allowance } from "../kernel/exchange.ts";
import { Outage } from "../kernel/failure.ts";
import type { Limiter, LimitPolicy } from "../kernel/limiter.ts";
import type { Breaker } from "./breaker.ts";
import type { MemoryLimiter } from "./memory/memory-limiter.ts";

export type LocalLimiter = Omit<MemoryLimiter, "clientCount">;

export interface FallbackLimiterOptions {
  /** Counts for all instances; rejects with an `Outage` where it cannot. */
  readonly shared: Limiter;
  /** Counts for this instance alone, all its threads together. */
  readonly local: LocalLimiter;
  readonly breaker: Breaker;
  /** How many instances there are, as far as is known. */
  readonly instances: () => number;
}

/**
 * A shared limiter that goes on without what it shares: while the breaker is open, or where a single call fails, this
 * instance grants its share of each limit on its own. A policy may refuse instead (`onOutage: "deny"`). For counters
 * only: a credential's revocation is no counter, and never decided from memory.
 */
export function createFallbackLimiter(options: FallbackLimiterOptions): Limiter {
  const { shared, local, breaker, instances } = options;
  const shares = new WeakMap<LimitPolicy, { readonly among: number; readonly share: LimitPolicy }>();

  function shareOf(policy: LimitPolicy): LimitPolicy {
    const among = instances();
    const known = shares.get(policy);
    if (known?.among === among) return known.share;
    const part = policy.limit / among;
    const limit = policy.onOutage === "strict" ? Math.max(1, Math.floor(part)) : Math.ceil(part);
    const share = { ...policy, limit };
    shares.set(policy, { among, share });
    return share;
  }

  function takeLocally(policy: LimitPolicy, key: string, nowMs: number, cause?: unknown): Allowance {
    if (policy.onOutage === "deny") throw new Outage("redis", { cause });
    return local.take(shareOf(policy), key, nowMs);
  }

  return {
    take(policy, key, nowMs) {
      if (breaker.state() !== "closed") return takeLocally(policy, key, nowMs);
      return Promise.resolve(shared.take(policy, key, nowMs)).then(
        (allowance) => {
          // Counted along, so that an outage is no fresh start for whoever guesses.
          if (policy.onOutage === "strict" && allowance.allowed) local.take(shareOf(policy), key, nowMs);
          return allowance;
        },
        (error) => {
          if (!(error instanceof Outage)) throw error;
          breaker.failed(error.cause);
          return takeLocally(policy, key, nowMs, error.cause);
        },
      );
    },
  };
}
