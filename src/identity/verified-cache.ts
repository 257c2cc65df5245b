/**
 * Remembers what credentials were verified to be. Only the very text that was verified finds it again, compared whole,
 * so that two credentials can never share an entry.
 */
export interface VerifiedCache<T> {
  get(text: string): T | undefined;
  set(text: string, value: T): void;
}

interface Entry<T> {
  readonly text: string;
  readonly value: T;
}

/**
 * Where an entry is looked for: by the end of a token's signature or a key's secret, 90 bits and more, since hashing all
 * of a text costs more than comparing it. Texts with the same end push each other out.
 */
const TAIL_LENGTH = 24;

/**
 * A cache of at most `capacity` entries in two generations. The young one, once it holds half of them, becomes the old
 * one, and what the old one held is forgotten unless it was used meanwhile.
 */
export function createVerifiedCache<T>(capacity: number): VerifiedCache<T> {
  const generationSize = Math.floor(capacity / 2);
  let young = new Map<string, Entry<T>>();
  let old = new Map<string, Entry<T>>();

  function put(tail: string, entry: Entry<T>): void {
    if (young.size >= generationSize) {
      old = young;
      young = new Map();
    }
    young.set(tail, entry);
  }

  return {
    set(text, value) {
      if (generationSize > 0) put(text.slice(-TAIL_LENGTH), { text, value });
    },
    get(text) {
      const tail = text.slice(-TAIL_LENGTH);
      const recent = young.get(tail);
      if (recent?.text === text) return recent.value;
      const kept = old.get(tail);
      if (kept?.text !== text) return undefined;
      put(tail, kept);
      return kept.value;
    },
  };
}
