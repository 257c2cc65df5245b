import type { Allowance } from "../../kernel/exchange.ts";
import type { LimitPolicy } from "../../kernel/limiter.ts";
import { gcraAllowance } from "./gcra-allowance.ts";
import type { GcraRate } from "./gcra-rate.ts";
import { backlogAt, compileRate } from "./gcra-rate.ts";
import { GcraShard, slotsFor } from "./gcra-shard.ts";
import type { Placement } from "./key-placement.ts";

/** Most entries of a shard, on average, when the table is full: a fraction of a millisecond moves them. */
const MOST_KEYS = 4096;
const FEWEST_SLOTS = 18;

/** Bits of a placement that choose the shard; the others choose the slot. */
const DEEPEST = 16;

/** The key of the one entry that newcomers share; no client has it, for its third word is that of no kind of key. */
const OVERFLOW_KEY = Int32Array.of(0, 0, 1, 0);

/**
 * All clients of one policy, by the generic cell rate algorithm (ITU-T I.371, annex A.1: virtual scheduling). Of each
 * client it keeps one instant, the theoretical arrival time (TAT): when the client's quota is whole again. A request
 * costs one emission interval, and is allowed where the TAT then lies no more than the capacity ahead.
 *
 * An entry whose TAT has passed says nothing and may go at any time. With `maxKeys` entries a newcomer takes the place
 * of an idle one, else of the one closest to recovery; those over their limit are never forgotten, and where only such
 * are left, all newcomers together have the quota of one.
 */
export class GcraTable {
  readonly policy: LimitPolicy;
  lastTakeMs: number;
  readonly #rate: GcraRate;
  readonly #maxKeys: number;
  readonly #placement: Placement;
  /** Slots of a shard that splits when it is full. */
  readonly #shardSlots: number;
  readonly #shards: GcraShard[];
  /** The shard of every placement, by its first `depth` bits (extendible hashing: Fagin and others, 1979). */
  #directory: GcraShard[];
  #depth = 0;
  #overflow: GcraShard | undefined = undefined;
  #count = 0;
  /** Until then every entry is over its limit, and there is no use in looking for one to drop. */
  #closedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(policy: LimitPolicy, maxKeys: number, placement: Placement, nowMs: number) {
    this.policy = policy;
    this.lastTakeMs = nowMs;
    this.#rate = compileRate(policy);
    this.#maxKeys = maxKeys;
    this.#placement = placement;
    const keys = maxKeys / 2 ** Math.ceil(Math.log2(Math.max(1, maxKeys / MOST_KEYS)));
    // Chance puts more than the average plus some of its deviation into few shards: those split sooner.
    this.#shardSlots = Math.max(FEWEST_SLOTS, slotsFor(keys + 2.5 * Math.sqrt(keys)));
    this.#shards = [new GcraShard(this.#rate, placement, nowMs, FEWEST_SLOTS)];
    this.#directory = [...this.#shards];
  }

  /** How many entries it holds, idle ones among them. */
  get count(): number {
    return this.#count;
  }

  /** Whether a client may be over its limit: no longer than one request needs to be back after the last take. */
  mayBeOver(nowMs: number): boolean {
    const { emission, unitsPerMs } = this.#rate;
    return (nowMs - this.lastTakeMs) * unitsPerMs < emission;
  }

  /** Takes one request from the quota of a key, given as four words. Synchronous, so of no two calls at once. */
  take(key: Int32Array, nowMs: number): Allowance {
    this.lastTakeMs = nowMs;
    const place = this.#placement(key, 0);
    const shard = this.#shardOf(place);
    const nowUnits = shard.unitsAt(nowMs);
    const slot = shard.find(key, place);
    if (slot >= 0) return this.#takeKnown(shard, slot, nowUnits);
    if (this.#count >= this.#maxKeys && !this.#makeRoom(shard, nowMs)) return this.#takeOverflow(nowMs);
    return this.#takeNew(key, place, nowMs);
  }

  #takeKnown(shard: GcraShard, slot: number, nowUnits: number): Allowance {
    const { emission, capacity } = this.#rate;
    const backlog = backlogAt(this.#rate, shard.tat(slot), nowUnits);
    if (backlog + emission <= capacity) {
      shard.raiseTat(slot, nowUnits + backlog + emission);
      return this.#allowance(backlog + emission, true);
    }
    shard.setTat(slot, nowUnits + backlog);
    return this.#allowance(backlog, false);
  }

  #takeNew(key: Int32Array, place: number, nowMs: number): Allowance {
    let shard = this.#shardOf(place);
    while (!shard.hasRoom) {
      this.#widen(shard, place, nowMs);
      shard = this.#shardOf(place);
    }
    shard.insert(key, place, shard.unitsAt(nowMs) + this.#rate.emission);
    this.#count++;
    return this.#allowance(this.#rate.emission, true);
  }

  #takeOverflow(nowMs: number): Allowance {
    if (this.#overflow === undefined) {
      this.#overflow = new GcraShard(this.#rate, this.#placement, nowMs, FEWEST_SLOTS);
      this.#overflow.insert(OVERFLOW_KEY, 0, 0);
    }
    const nowUnits = this.#overflow.unitsAt(nowMs);
    return this.#takeKnown(this.#overflow, this.#overflow.find(OVERFLOW_KEY, 0), nowUnits);
  }

  #shardOf(place: number): GcraShard {
    // A shift by 32 would be one by 0.
    return this.#directory[(place >>> 1) >>> (31 - this.#depth)]!;
  }

  /** Makes room in a shard: by dropping its idle entries, by growing while it is small, or by splitting it in two. */
  #widen(shard: GcraShard, place: number, nowMs: number): void {
    const nowUnits = shard.unitsAt(nowMs);
    const before = shard.count;
    if (slotsFor(shard.liveAt(nowUnits) * 1.1 + 1) <= shard.slots) {
      shard.rebuild(nowUnits, shard.slots);
    } else if (shard.slots < this.#shardSlots) {
      shard.rebuild(nowUnits, Math.min(2 * shard.slots, this.#shardSlots));
    } else if (shard.depth === DEEPEST) {
      shard.rebuild(nowUnits, 2 * shard.slots);
    } else {
      const sibling = this.#split(shard, place, nowUnits);
      this.#count += sibling.count;
    }
    this.#count += shard.count - before;
  }

  #split(shard: GcraShard, place: number, nowUnits: number): GcraShard {
    if (shard.depth === this.#depth) {
      this.#directory = this.#directory.flatMap((entry) => [entry, entry]);
      this.#depth++;
    }
    const sibling = shard.split(nowUnits);
    this.#shards.push(sibling);
    // Both have what was the shard's part of the directory: the sibling the half whose last bit is 1.
    const each = 2 ** (this.#depth - shard.depth);
    const first = (((place >>> 1) >>> (31 - shard.depth)) | 1) * each;
    this.#directory.fill(sibling, first, first + each);
    return sibling;
  }

  /** Drops one entry, of the newcomer's own shard where it has one to drop. */
  #makeRoom(own: GcraShard, nowMs: number): boolean {
    // A closure of more than a window was noted before the clock was set back.
    if (nowMs < this.#closedUntilMs && this.#closedUntilMs - nowMs <= this.#rate.windowMs) return false;
    let soonestMs = own.evict(nowMs);
    for (let i = 0; i < this.#shards.length && soonestMs > 0; i++) {
      soonestMs = Math.min(soonestMs, this.#shards[i]!.evict(nowMs));
    }
    if (soonestMs > 0) {
      this.#closedUntilMs = nowMs + soonestMs;
      return false;
    }
    this.#count--;
    return true;
  }

  #allowance(backlog: number, allowed: boolean): Allowance {
    return gcraAllowance(this.policy, this.#rate, backlog, allowed);
  }
}
