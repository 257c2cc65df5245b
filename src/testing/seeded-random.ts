import type { Random } from "../kernel/random.ts";

/** The same bytes for the same seed, for tests (SplitMix32). Whoever knows the seed knows them all: never a secret. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;

  function next(): number {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  }

  return { bytes: (length) => Uint8Array.from({ length }, () => next() & 0xff) };
}
