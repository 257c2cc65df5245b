import type { Clock } from "../../kernel/clock.ts";
import type { LimitPolicy } from "../../kernel/limiter.ts";
import type { Random } from "../../kernel/random.ts";
import type { GcraRate } from "../gcra-rate.ts";
import { allowanceOf, compileRate } from "../gcra-rate.ts";
import { createSipHash } from "../sip-hash.ts";
import { closedAllowance } from "./closed-allowance.ts";
import { createPlacement } from "./key-placement.ts";
import { writeLimitKey } from "./limit-key.ts";
import type { MemoryLimiter } from "./memory-limiter.ts";
import { CONTROL_BYTES, SharedShard, SLOT_BYTES, sharedSlotsFor } from "./shared-shard.ts";

/** Counters in memory that threads share; it can be handed to a thread as it is. */
export interface SharedLimits {
  readonly memory: SharedArrayBuffer;
  /** A power of two. */
  readonly shards: number;
  readonly keysPerShard: number;
}

/** A limiter of one thread over counters that all threads share: exact, as if there were one thread. */
export interface SharedLimiter extends Omit<MemoryLimiter, "clientCount"> {
  /** Frees what a thread held that died; called before its number is used again. */
  releaseHeldBy(holder: number): void;
}

const DEFAULT_MAX_KEYS = 1_000_000;
const HIGHEST_MAX_KEYS = 100_000_000;
const MOST_KEYS_PER_SHARD = 16_384;
const SIP_KEY_BYTES = 16;
const SEED_BYTES = 32 * 1024;
/** Policies of which the rate and the mark are kept ready. */
const KNOWN_POLICIES = 1_000;

interface KnownPolicy {
  readonly rate: GcraRate;
  /** Told apart by this: keys are exact within a policy, and between policies differ by 128 secret bits. */
  readonly mark: Int32Array;
}

/**
 * Reserves counters for so many clients, of all policies together: 64 bytes each and a fifth more, of which only what
 * is used is ever taken from the system. Throws a RangeError for `maxKeys` out of range.
 */
export function reserveSharedLimits(random: Random, maxKeys = DEFAULT_MAX_KEYS): SharedLimits {
  if (!Number.isInteger(maxKeys) || maxKeys < 1 || maxKeys > HIGHEST_MAX_KEYS) {
    throw new RangeError(`maxKeys must be a whole number from 1 to ${HIGHEST_MAX_KEYS}`);
  }
  const shards = 2 ** Math.ceil(Math.log2(Math.max(1, maxKeys / MOST_KEYS_PER_SHARD)));
  const average = maxKeys / shards;
  // Chance puts more than the average plus some of its deviation into few shards: those drop entries sooner.
  const keysPerShard = Math.ceil(shards === 1 ? average : average + 2.5 * Math.sqrt(average));
  const memory = new SharedArrayBuffer(
    SEED_BYTES + shards * (CONTROL_BYTES + sharedSlotsFor(keysPerShard) * SLOT_BYTES),
  );
  new Uint8Array(memory, 0, SEED_BYTES).set(random.bytes(SEED_BYTES));
  return { memory, shards, keysPerShard };
}

/**
 * Opens the counters for one thread. `holder` is a whole number above 0 that no other living thread uses. With `clock`,
 * one that all threads share, its instants count in place of those that callers tell.
 */
export function createSharedLimiter(
  limits: SharedLimits,
  holder: number,
  options: { readonly clock?: Clock } = {},
): SharedLimiter {
  const { clock } = options;
  const { memory, keysPerShard } = limits;
  const seed = new Uint8Array(memory, 0, SEED_BYTES).slice();
  const fingerprint = createSipHash(seed.subarray(0, SIP_KEY_BYTES));
  const placement = createPlacement({
    bytes: (length) => seed.subarray(SIP_KEY_BYTES, SIP_KEY_BYTES + length),
  });
  const slotsAt = SEED_BYTES + limits.shards * CONTROL_BYTES;
  const shardBytes = sharedSlotsFor(keysPerShard) * SLOT_BYTES;
  const shards = Array.from(
    { length: limits.shards },
    (_, i) =>
      new SharedShard(
        memory,
        SEED_BYTES + i * CONTROL_BYTES,
        slotsAt + i * shardBytes,
        keysPerShard,
        placement,
      ),
  );
  const shardShift = 31 - Math.log2(limits.shards);
  const key = new Int32Array(4);
  const byPolicy = new Map<string, KnownPolicy>();
  let known = new WeakMap<LimitPolicy, KnownPolicy>();

  function knownPolicy(policy: LimitPolicy): KnownPolicy {
    const found = known.get(policy);
    if (found !== undefined) return found;
    // The name comes last, for only a name could contain the separator.
    const id = `${policy.limit}/${policy.windowMs}/${policy.name}`;
    let compiled = byPolicy.get(id);
    if (compiled === undefined) {
      compiled = { rate: compileRate(policy), mark: new Int32Array(4) };
      fingerprint(id, compiled.mark);
      if (byPolicy.size >= KNOWN_POLICIES) {
        byPolicy.clear();
        known = new WeakMap();
      }
      byPolicy.set(id, compiled);
    }
    known.set(policy, compiled);
    return compiled;
  }

  return {
    take(policy, text, nowMs) {
      const now = Math.floor(clock === undefined ? nowMs : clock.now());
      if (!Number.isSafeInteger(now)) throw new RangeError("the instant of a take must be in milliseconds");
      const { rate, mark } = knownPolicy(policy);
      writeLimitKey(text, fingerprint, key);
      for (let i = 0; i < 4; i++) key[i]! ^= mark[i]!;
      const place = placement(key, 0);
      // A shift by 32 would be one by 0.
      const owed = shards[(place >>> 1) >>> shardShift]!.take(key, place, rate, now, holder);
      if (owed === 0) return closedAllowance(policy);
      return allowanceOf(policy, rate, Math.abs(owed), owed > 0);
    },
    releaseHeldBy(holder) {
      for (const shard of shards) shard.releaseHeldBy(holder);
    },
  };
}
