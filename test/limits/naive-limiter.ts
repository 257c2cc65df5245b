import type { Allowance } from "../../src/kernel/exchange.ts";
import type { LimitPolicy } from "../../src/kernel/limiter.ts";

/**
 * The rules of one policy's table as plainly as they can be put: a map of instants in exact integers, of 1/limit of a
 * millisecond each. The real one must say the same of every take.
 */
export class NaiveLimiter {
  readonly tats = new Map<string, bigint>();
  readonly #policy: LimitPolicy;
  readonly #maxKeys: number;
  readonly #emission: bigint;
  readonly #capacity: bigint;
  #overflow = 0n;
  /** Whether two entries had an equal right to be dropped, so that the real one may have dropped the other. */
  hadTie = false;

  constructor(policy: LimitPolicy, maxKeys = Number.POSITIVE_INFINITY) {
    this.#policy = policy;
    this.#maxKeys = maxKeys;
    this.#emission = BigInt(policy.windowMs);
    this.#capacity = BigInt(policy.windowMs) * BigInt(policy.limit);
  }

  take(key: string, nowMs: number): Allowance {
    const now = BigInt(nowMs) * BigInt(this.#policy.limit);
    if (!this.tats.has(key) && this.tats.size >= this.#maxKeys && !this.#makeRoom(now)) {
      const [tat, allowance] = this.#judge(this.#overflow, now);
      this.#overflow = tat;
      return allowance;
    }
    const [tat, allowance] = this.#judge(this.tats.get(key) ?? now, now);
    this.tats.set(key, tat);
    return allowance;
  }

  #judge(tat: bigint, now: bigint): [tat: bigint, allowance: Allowance] {
    const owed = this.#backlog(tat, now);
    const allowed = owed + this.#emission <= this.#capacity;
    const backlog = allowed ? owed + this.#emission : owed;
    const spare = this.#capacity - backlog;
    const wait = this.#emission - spare;
    return [
      now + backlog,
      {
        policy: this.#policy.name,
        limit: this.#policy.limit,
        windowSeconds: Math.ceil(this.#policy.windowMs / 1000),
        remaining: spare > 0n ? Number(spare / this.#emission) : 0,
        resetSeconds: this.#seconds(backlog),
        allowed,
        retryAfterSeconds: wait > 0n ? this.#seconds(wait) : 0,
      },
    ];
  }

  #backlog(tat: bigint, now: bigint): bigint {
    if (tat <= now) return 0n;
    const wait = tat - now + this.#emission - this.#capacity;
    return wait > this.#capacity ? this.#capacity : tat - now;
  }

  #seconds(units: bigint): number {
    const second = 1000n * BigInt(this.#policy.limit);
    return Number((units + second - 1n) / second);
  }

  #makeRoom(now: bigint): boolean {
    const [first, second] = [...this.tats].sort(([, a], [, b]) => (a < b ? -1 : a > b ? 1 : 0));
    if (first === undefined || this.#backlog(first[1], now) + this.#emission > this.#capacity) return false;
    this.hadTie ||= second?.[1] === first[1];
    return this.tats.delete(first[0]);
  }
}
