import type { Clock } from "../../kernel/clock.ts";
import type { Allowance } from "../../kernel/exchange.ts";
import type { Limiter, LimitPolicy } from "../../kernel/limiter.ts";
import type { Random } from "../../kernel/random.ts";
import { systemRandom } from "../../kernel/random.ts";
import { createSipHash } from "../sip-hash.ts";
import { closedAllowance } from "./closed-allowance.ts";
import { GcraTable } from "./gcra-table.ts";
import { createPlacement } from "./key-placement.ts";
import { writeLimitKey } from "./limit-key.ts";

export interface MemoryLimiterOptions {
  /** Most clients remembered for one policy, 1,000,000 unless told: then 31 bytes each, up to twice that before. */
  readonly maxKeys?: number;
  readonly random?: Random;
  /** Whose instants count in place of those that callers tell: a wall clock that is set back would lock clients out. */
  readonly clock?: Clock;
}

/** A `Limiter` that answers at once. */
export interface MemoryLimiter extends Limiter {
  take(policy: LimitPolicy, key: string, nowMs: number): Allowance;
  /** Clients remembered, over all policies; idle ones among them. */
  readonly clientCount: number;
}

const DEFAULT_MAX_KEYS = 1_000_000;
const HIGHEST_MAX_KEYS = 100_000_000;

/** Most policies remembered at once: callers may bring their own, and each has a table. */
const MAX_POLICIES = 1_000;

/** Policy objects whose table is found without spelling out what the policy is: nearly all takes are of a few. */
const RECENT_POLICIES = 8;

/**
 * Limits in this process's memory, bounded in policies and in clients of each. A policy is known by its name and
 * numbers, a client by its key's text.
 * Throws a RangeError for `maxKeys` out of range; `take` throws one for a policy or an instant out of range.
 */
export function createMemoryLimiter(options: MemoryLimiterOptions = {}): MemoryLimiter {
  const { maxKeys = DEFAULT_MAX_KEYS, random = systemRandom, clock } = options;
  if (!Number.isInteger(maxKeys) || maxKeys < 1 || maxKeys > HIGHEST_MAX_KEYS) {
    throw new RangeError(`maxKeys must be a whole number from 1 to ${HIGHEST_MAX_KEYS}`);
  }
  const fingerprint = createSipHash(random.bytes(16));
  const placement = createPlacement(random);
  const words = new Int32Array(4);
  const tables = new Map<string, GcraTable>();
  const recent: { readonly policy: LimitPolicy; readonly table: GcraTable }[] = [];
  let oldest = 0;

  function tableOf(policy: LimitPolicy, nowMs: number): GcraTable | undefined {
    for (let i = 0; i < recent.length; i++) {
      if (recent[i]!.policy === policy) return recent[i]!.table;
    }
    const table = open(policy, nowMs);
    if (table !== undefined) {
      recent[oldest] = { policy, table };
      oldest = (oldest + 1) % RECENT_POLICIES;
    }
    return table;
  }

  function open(policy: LimitPolicy, nowMs: number): GcraTable | undefined {
    // The name comes last, for only a name could contain the separator.
    const id = `${policy.limit}/${policy.windowMs}/${policy.name}`;
    let table = tables.get(id);
    if (table === undefined) {
      table = new GcraTable({ ...policy }, maxKeys, placement, nowMs);
      if (tables.size >= MAX_POLICIES && !dropPolicy(nowMs)) return undefined;
      tables.set(id, table);
    }
    return table;
  }

  /** Forgets the policy that was used least recently, but none that may hold a client over its limit. */
  function dropPolicy(nowMs: number): boolean {
    let victim: string | undefined;
    let earliestMs = Number.POSITIVE_INFINITY;
    for (const [id, table] of tables) {
      // What lies ahead was noted before the clock was set back.
      table.lastTakeMs = Math.min(table.lastTakeMs, nowMs);
      if (table.lastTakeMs < earliestMs && !table.mayBeOver(nowMs)) {
        earliestMs = table.lastTakeMs;
        victim = id;
      }
    }
    if (victim === undefined) return false;
    tables.delete(victim);
    recent.length = 0;
    oldest = 0;
    return true;
  }

  return {
    take(policy, key, nowMs) {
      const now = Math.floor(clock === undefined ? nowMs : clock.now());
      if (!Number.isSafeInteger(now)) throw new RangeError("the instant of a take must be in milliseconds");
      const table = tableOf(policy, now);
      if (table === undefined) return closedAllowance(policy);
      writeLimitKey(key, fingerprint, words);
      return table.take(words, now);
    },
    get clientCount() {
      let count = 0;
      for (const table of tables.values()) count += table.count;
      return count;
    },
  };
}
