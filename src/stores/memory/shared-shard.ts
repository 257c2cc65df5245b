import type { GcraRate } from "../gcra-rate.ts";
import { backlogAt } from "../gcra-rate.ts";
import type { Placement } from "./key-placement.ts";
import { SharedLock } from "./shared-lock.ts";

/** One slot is a cache line: the key in four words, six doubles, of which the last is 0 where the slot is empty. */
export const SLOT_BYTES = 64;
const WORDS = SLOT_BYTES / 4;
const NUMBERS = SLOT_BYTES / 8;
const AT_MS = 2;
const BACKLOG = 3;
const UNITS_PER_MS = 4;
const EMISSION = 5;
const CAPACITY = 6;
const USED = 7;

/** The control block of a shard is a cache line, too: lock, waiters, entries, slots, and one double. */
export const CONTROL_BYTES = 64;
const COUNT = 2;
const SLOTS = 3;
const CLOSED_UNTIL_MS = 2;

/** Beyond this share of slots in use, probing gets long. */
const FILL = 0.85;
const FEWEST_SLOTS = 64;
/** Among so many neighbours the one closest to recovery makes room: looking at all would take too long. */
const CANDIDATES = 64;
/** A shard full of clients over their limit is not looked through again for this long (ms). */
const CLOSED_MS = 1000;

/** The slots for which a shard of so many entries needs memory. */
export function sharedSlotsFor(entries: number): number {
  return Math.max(FEWEST_SLOTS, Math.ceil((entries + 1) / FILL));
}

/**
 * A part of the table that threads share: open addressing with linear probing, every access under the shard's lock. An
 * entry says when it was last counted, what it owed then in units of its rate, and the rate, so that entries of all
 * policies lie in one table and each says itself whether it is idle. (The theoretical arrival time of GCRA is `atMs`
 * plus the backlog; keeping the two apart needs no epoch.)
 */
export class SharedShard {
  readonly #lock: SharedLock;
  readonly #control: Int32Array<SharedArrayBuffer>;
  readonly #closed: Float64Array<SharedArrayBuffer>;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #numbers: Float64Array<SharedArrayBuffer>;
  readonly #maxKeys: number;
  readonly #maxSlots: number;
  readonly #placement: Placement;
  /** The rate of an entry that is looked at in passing. */
  readonly #passing = { capacity: 0, emission: 0 };

  constructor(
    memory: SharedArrayBuffer,
    controlAt: number,
    slotsAt: number,
    maxKeys: number,
    placement: Placement,
  ) {
    this.#maxKeys = maxKeys;
    this.#maxSlots = sharedSlotsFor(maxKeys);
    this.#placement = placement;
    this.#control = new Int32Array(memory, controlAt, CONTROL_BYTES / 4);
    this.#closed = new Float64Array(memory, controlAt, CONTROL_BYTES / 8);
    this.#words = new Int32Array(memory, slotsAt, this.#maxSlots * WORDS);
    this.#numbers = new Float64Array(memory, slotsAt, this.#maxSlots * NUMBERS);
    this.#lock = new SharedLock(this.#control, 0);
  }

  /** What the client owes afterwards: above 0 where it was allowed, below where not, 0 where there is no room for it. */
  take(key: Int32Array, place: number, rate: GcraRate, nowMs: number, holder: number): number {
    this.#lock.acquire(holder);
    try {
      if (this.#control[SLOTS] === 0) this.#control[SLOTS] = FEWEST_SLOTS;
      const slot = this.#find(key, place);
      if (slot >= 0) return this.#takeKnown(slot, rate, nowMs);
      if (this.#control[COUNT]! >= this.#maxKeys && !this.#makeRoom(place, nowMs)) return 0;
      if (this.#control[COUNT]! + 1 > this.#control[SLOTS]! * FILL) this.#widen(nowMs);
      return this.#takeNew(key, place, rate, nowMs);
    } finally {
      this.#lock.release();
    }
  }

  /** Puts the shard right and frees it where a thread died that held it; entries it was moving may be forgotten. */
  releaseHeldBy(holder: number): void {
    if (!this.#lock.isHeldBy(holder)) return;
    // Before all time nothing is idle yet, so that everything is kept.
    this.#rebuild(Number.NEGATIVE_INFINITY, Math.max(FEWEST_SLOTS, this.#control[SLOTS]!));
    this.#lock.release();
  }

  #takeKnown(slot: number, rate: GcraRate, nowMs: number): number {
    const at = slot * NUMBERS;
    const owed = this.#numbers[at + BACKLOG]! + (this.#numbers[at + AT_MS]! - nowMs) * rate.unitsPerMs;
    const backlog = backlogAt(rate, owed, 0);
    const allowed = backlog + rate.emission <= rate.capacity;
    const after = allowed ? backlog + rate.emission : backlog;
    this.#numbers[at + AT_MS] = nowMs;
    this.#numbers[at + BACKLOG] = after;
    return allowed ? after : -after;
  }

  #takeNew(key: Int32Array, place: number, rate: GcraRate, nowMs: number): number {
    const slot = ~this.#find(key, place);
    const at = slot * NUMBERS;
    this.#words.set(key, slot * WORDS);
    this.#numbers[at + AT_MS] = nowMs;
    this.#numbers[at + BACKLOG] = rate.emission;
    this.#numbers[at + UNITS_PER_MS] = rate.unitsPerMs;
    this.#numbers[at + EMISSION] = rate.emission;
    this.#numbers[at + CAPACITY] = rate.capacity;
    this.#numbers[at + USED] = 1;
    this.#control[COUNT]!++;
    return rate.emission;
  }

  /** The slot of a key with this placement; where it has none, the complement of the empty slot that it would take. */
  #find(key: Int32Array, place: number): number {
    const words = this.#words;
    const slots = this.#control[SLOTS]!;
    let slot = this.#home(place, slots);
    while (this.#numbers[slot * NUMBERS + USED] !== 0) {
      const at = slot * WORDS;
      if (
        words[at] === key[0] &&
        words[at + 1] === key[1] &&
        words[at + 2] === key[2] &&
        words[at + 3] === key[3]
      )
        return slot;
      if (++slot === slots) slot = 0;
    }
    return ~slot;
  }

  /** Where probing begins: by the low half of the placement, for the high one has chosen the shard. */
  #home(place: number, slots: number): number {
    return ((place & 0xffff) * slots) >>> 16;
  }

  #backlogOf(slot: number, nowMs: number): number {
    const at = slot * NUMBERS;
    this.#passing.capacity = this.#numbers[at + CAPACITY]!;
    this.#passing.emission = this.#numbers[at + EMISSION]!;
    const sinceMs = this.#numbers[at + AT_MS]! - nowMs;
    return backlogAt(
      this.#passing,
      this.#numbers[at + BACKLOG]! + sinceMs * this.#numbers[at + UNITS_PER_MS]!,
      0,
    );
  }

  /** Makes more slots free: by dropping idle entries where those are many, else by taking more memory into use. */
  #widen(nowMs: number): void {
    const slots = this.#control[SLOTS]!;
    let live = 0;
    for (let slot = 0; slot < slots; slot++) {
      if (this.#numbers[slot * NUMBERS + USED] !== 0 && this.#backlogOf(slot, nowMs) > 0) live++;
    }
    const hasIdle = live * 1.1 + 1 <= slots * FILL;
    this.#rebuild(nowMs, hasIdle ? slots : Math.min(2 * slots, this.#maxSlots));
  }

  /** Puts what is not idle anew, into so many slots. */
  #rebuild(nowMs: number, slots: number): void {
    const before = this.#control[SLOTS]!;
    const kept: Int32Array[] = [];
    for (let slot = 0; slot < before; slot++) {
      if (this.#numbers[slot * NUMBERS + USED] === 0 || this.#backlogOf(slot, nowMs) === 0) continue;
      kept.push(this.#words.slice(slot * WORDS, (slot + 1) * WORDS));
    }
    this.#words.fill(0, 0, before * WORDS);
    this.#control[SLOTS] = slots;
    this.#control[COUNT] = 0;
    for (const entry of kept) {
      const slot = this.#find(entry, this.#placement(entry, 0));
      if (slot >= 0) continue;
      this.#words.set(entry, ~slot * WORDS);
      this.#control[COUNT]!++;
    }
  }

  /** Drops the entry closest to recovery near a newcomer's place, but never one that is over its limit. */
  #makeRoom(place: number, nowMs: number): boolean {
    const closedForMs = this.#closed[CLOSED_UNTIL_MS]! - nowMs;
    if (closedForMs > 0 && closedForMs <= CLOSED_MS) return false;
    const slots = this.#control[SLOTS]!;
    const home = this.#home(place, slots);
    let victim = -1;
    let soonestMs = Number.POSITIVE_INFINITY;
    for (let seen = 0; seen < slots && !(victim >= 0 && seen % CANDIDATES === 0); seen++) {
      const slot = (home + seen) % slots;
      if (this.#numbers[slot * NUMBERS + USED] === 0) continue;
      const backlog = this.#backlogOf(slot, nowMs);
      const recoveryMs = backlog / this.#numbers[slot * NUMBERS + UNITS_PER_MS]!;
      if (backlog + this.#passing.emission > this.#passing.capacity || recoveryMs >= soonestMs) continue;
      soonestMs = recoveryMs;
      victim = slot;
    }
    if (victim < 0) {
      this.#closed[CLOSED_UNTIL_MS] = nowMs + CLOSED_MS;
      return false;
    }
    this.#remove(victim, slots);
    return true;
  }

  /** Empties a slot and moves later entries of its probe chains up, so that no chain is cut. */
  #remove(slot: number, slots: number): void {
    const words = this.#words;
    let hole = slot;
    for (
      let next = (hole + 1) % slots;
      this.#numbers[next * NUMBERS + USED] !== 0;
      next = (next + 1) % slots
    ) {
      const home = this.#home(this.#placement(words, next * WORDS), slots);
      if ((next - home + slots) % slots < (next - hole + slots) % slots) continue;
      words.copyWithin(hole * WORDS, next * WORDS, (next + 1) * WORDS);
      hole = next;
    }
    words.fill(0, hole * WORDS, (hole + 1) * WORDS);
    this.#control[COUNT]!--;
  }
}
