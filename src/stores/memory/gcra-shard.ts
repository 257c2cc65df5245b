import type { GcraRate } from "../gcra-rate.ts";
import { backlogAt } from "../gcra-rate.ts";
import type { Placement } from "./key-placement.ts";

/** A slot is four words of the key, then the entry's instant, a whole number, in two. */
const SLOT_WORDS = 6;
const HIGH = 4;
const LOW = 5;
const WORD = 2 ** 32;
const BLOCK_SLOTS = 64;

/** Beyond this share of slots in use, probing gets long. */
const FILL = 0.85;

/** The smallest number of slots that gives room for so many entries. */
export function slotsFor(entries: number): number {
  return Math.ceil(entries / FILL);
}

/** Instants are held within this many units of the shard's epoch, where doubles are exact. */
const REACH = 2 ** 52;

/**
 * A part of a table: open addressing with linear probing. An entry is a key and its theoretical arrival time (TAT), in
 * units of the rate since the shard's epoch. A slot whose third word is 0 is empty; no key has that. The shard holds
 * the keys whose placement begins with the same `depth` bits.
 */
export class GcraShard {
  count = 0;
  depth: number;
  readonly #rate: GcraRate;
  readonly #placement: Placement;
  #epochMs: number;
  #slots: number;
  #words!: Int32Array;
  /** Of each block of slots, an instant that none in it is before: raised only when somebody looks. */
  #bounds!: Float64Array;

  constructor(rate: GcraRate, placement: Placement, epochMs: number, slots: number, depth = 0) {
    this.#rate = rate;
    this.#placement = placement;
    this.#epochMs = epochMs;
    this.#slots = slots;
    this.depth = depth;
    this.#clear(slots);
  }

  get slots(): number {
    return this.#slots;
  }

  get hasRoom(): boolean {
    return this.count + 1 <= this.#slots * FILL;
  }

  /** An instant in units since the epoch, which moves first where the instant is out of its reach. */
  unitsAt(nowMs: number): number {
    const units = (nowMs - this.#epochMs) * this.#rate.unitsPerMs;
    if (units <= REACH && units >= -REACH) return units;
    this.#moveEpoch(nowMs, units);
    return 0;
  }

  /** The slot of a key with this placement; where it has none, the complement of the empty slot that it would take. */
  find(key: Int32Array, place: number): number {
    const words = this.#words;
    const k0 = key[0]!;
    const k1 = key[1]!;
    const k2 = key[2]!;
    const k3 = key[3]!;
    let slot = this.#home(place);
    for (;;) {
      const at = slot * SLOT_WORDS;
      const w2 = words[at + 2]!;
      if (w2 === 0) return ~slot;
      if (words[at] === k0 && words[at + 1] === k1 && w2 === k2 && words[at + 3] === k3) return slot;
      if (++slot === this.#slots) slot = 0;
    }
  }

  tat(slot: number): number {
    const at = slot * SLOT_WORDS;
    return this.#words[at + HIGH]! * WORD + (this.#words[at + LOW]! >>> 0);
  }

  /** Sets an instant that is no earlier than the entry's own. */
  raiseTat(slot: number, tat: number): void {
    const high = Math.floor(tat / WORD);
    this.#words[slot * SLOT_WORDS + HIGH] = high;
    this.#words[slot * SLOT_WORDS + LOW] = tat - high * WORD;
  }

  setTat(slot: number, tat: number): void {
    this.raiseTat(slot, tat);
    const block = Math.floor(slot / BLOCK_SLOTS);
    if (tat < this.#bounds[block]!) this.#bounds[block] = tat;
  }

  /** Adds an entry that is not there yet, where there is room. */
  insert(key: Int32Array, place: number, tat: number): void {
    this.#put(~this.find(key, place), key, 0, tat);
  }

  /** How many entries are not idle. */
  liveAt(nowUnits: number): number {
    let live = 0;
    for (let slot = 0; slot < this.#slots; slot++) {
      if (this.#words[slot * SLOT_WORDS + 2] !== 0 && this.tat(slot) > nowUnits) live++;
    }
    return live;
  }

  /** Moves what is not idle into a fresh buffer of so many slots, which have room for it. */
  rebuild(nowUnits: number, slots: number): void {
    this.#redistribute(nowUnits, slots, this);
  }

  /** Hands the entries whose placement goes on with a 1 over to a new shard; drops idle ones of both. */
  split(nowUnits: number): GcraShard {
    this.depth++;
    const sibling = new GcraShard(this.#rate, this.#placement, this.#epochMs, this.#slots, this.depth);
    this.#redistribute(nowUnits, this.#slots, sibling);
    return sibling;
  }

  /**
   * Drops the entry closest to full recovery, an idle one where there is one, but never one that is over its limit.
   * Returns the milliseconds until one can be dropped: 0 where one has been, Infinity where there is none.
   */
  evict(nowMs: number): number {
    const { unitsPerMs, capacity, emission } = this.#rate;
    if (this.count === 0) return Number.POSITIVE_INFINITY;
    const nowUnits = this.unitsAt(nowMs);
    const victim = this.#earliest();
    const ahead = this.tat(victim) - nowUnits;
    if (ahead > backlogAt(this.#rate, this.tat(victim), nowUnits)) {
      // Even the first is from a time before the clock was set back far: judge them all anew.
      this.#moveEpoch(nowMs, nowUnits);
      return this.evict(nowMs);
    }
    const excess = ahead + emission - capacity;
    if (excess > 0) return excess / unitsPerMs;
    this.#remove(victim);
    return 0;
  }

  /** The entry with the earliest instant, found by the blocks' bounds, which are put right on the way. */
  #earliest(): number {
    const bounds = this.#bounds;
    for (;;) {
      let block = 0;
      for (let i = 1; i < bounds.length; i++) if (bounds[i]! < bounds[block]!) block = i;
      const end = Math.min((block + 1) * BLOCK_SLOTS, this.#slots);
      let first = -1;
      let earliest = Number.POSITIVE_INFINITY;
      for (let slot = block * BLOCK_SLOTS; slot < end; slot++) {
        if (this.#words[slot * SLOT_WORDS + 2] !== 0 && this.tat(slot) < earliest) {
          earliest = this.tat(slot);
          first = slot;
        }
      }
      if (earliest === bounds[block]) return first;
      bounds[block] = earliest;
    }
  }

  /** Where probing begins: by the low half of the placement, for the high one has chosen the shard. */
  #home(place: number): number {
    return ((place & 0xffff) * this.#slots) >>> 16;
  }

  #put(slot: number, words: Int32Array, from: number, tat: number): void {
    const at = slot * SLOT_WORDS;
    this.#words[at] = words[from]!;
    this.#words[at + 1] = words[from + 1]!;
    this.#words[at + 2] = words[from + 2]!;
    this.#words[at + 3] = words[from + 3]!;
    this.setTat(slot, tat);
    this.count++;
  }

  /** Empties a slot and moves later entries of its probe chains up, so that no chain is cut. */
  #remove(slot: number): void {
    const slots = this.#slots;
    const words = this.#words;
    let hole = slot;
    for (let next = (hole + 1) % slots; words[next * SLOT_WORDS + 2] !== 0; next = (next + 1) % slots) {
      const home = this.#home(this.#placement(words, next * SLOT_WORDS));
      if ((next - home + slots) % slots < (next - hole + slots) % slots) continue;
      words.copyWithin(hole * SLOT_WORDS, next * SLOT_WORDS, (next + 1) * SLOT_WORDS);
      this.setTat(hole, this.tat(next));
      hole = next;
    }
    words.fill(0, hole * SLOT_WORDS, (hole + 1) * SLOT_WORDS);
    this.count--;
  }

  #clear(slots: number): void {
    this.#slots = slots;
    this.#words = new Int32Array(slots * SLOT_WORDS);
    this.#bounds = new Float64Array(Math.ceil(slots / BLOCK_SLOTS)).fill(Number.POSITIVE_INFINITY);
    this.count = 0;
  }

  /** Puts what is not idle anew: here where the last bit of this shard's placements is 0, else into the sibling. */
  #redistribute(nowUnits: number, slots: number, sibling: GcraShard): void {
    const words = this.#words;
    this.#clear(slots);
    for (let from = 0; from < words.length; from += SLOT_WORDS) {
      const tat = words[from + HIGH]! * WORD + (words[from + LOW]! >>> 0);
      if (words[from + 2] === 0 || tat <= nowUnits) continue;
      const place = this.#placement(words, from);
      const target = sibling !== this && ((place >>> (32 - this.depth)) & 1) === 1 ? sibling : this;
      target.#put(target.#free(place), words, from, tat);
    }
  }

  #free(place: number): number {
    let slot = this.#home(place);
    while (this.#words[slot * SLOT_WORDS + 2] !== 0) if (++slot === this.#slots) slot = 0;
    return slot;
  }

  #moveEpoch(nowMs: number, nowUnits: number): void {
    for (let slot = 0; slot < this.#slots; slot++) {
      if (this.#words[slot * SLOT_WORDS + 2] === 0) continue;
      const tat = this.tat(slot);
      const ahead = tat > nowUnits ? backlogAt(this.#rate, tat, nowUnits) : Math.max(tat - nowUnits, -REACH);
      this.setTat(slot, ahead);
    }
    this.#epochMs = nowMs;
  }
}
