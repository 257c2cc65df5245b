import type { Random } from "../../kernel/random.ts";

/** Spreads a 128-bit key, four words from `at`, evenly over 32 bits. */
export type Placement = (words: Int32Array, at: number) => number;

const BYTES = 16;

/**
 * Makes a placement of keys by simple tabulation (Zobrist 1970): each byte of the key picks a secret random word, and
 * those are joined by XOR. Whichever keys callers choose, linear probing over it then takes constant expected time
 * (Pătraşcu and Thorup, "The Power of Simple Tabulation Hashing", 2012), so that nobody can flood one spot of a table.
 */
export function createPlacement(random: Random): Placement {
  const bytes = random.bytes(BYTES * 256 * 4);
  const table = new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  return (words, at) => {
    const a = words[at]!;
    const b = words[at + 1]!;
    const c = words[at + 2]!;
    const d = words[at + 3]!;
    return (
      (table[a & 0xff]! ^
        table[0x100 | ((a >>> 8) & 0xff)]! ^
        table[0x200 | ((a >>> 16) & 0xff)]! ^
        table[0x300 | (a >>> 24)]! ^
        table[0x400 | (b & 0xff)]! ^
        table[0x500 | ((b >>> 8) & 0xff)]! ^
        table[0x600 | ((b >>> 16) & 0xff)]! ^
        table[0x700 | (b >>> 24)]! ^
        table[0x800 | (c & 0xff)]! ^
        table[0x900 | ((c >>> 8) & 0xff)]! ^
        table[0xa00 | ((c >>> 16) & 0xff)]! ^
        table[0xb00 | (c >>> 24)]! ^
        table[0xc00 | (d & 0xff)]! ^
        table[0xd00 | ((d >>> 8) & 0xff)]! ^
        table[0xe00 | ((d >>> 16) & 0xff)]! ^
        table[0xf00 | (d >>> 24)]!) >>>
      0
    );
  };
}
