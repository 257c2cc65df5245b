/**
 * Remembers what tokens were verified to say. Only the very text that was verified finds it again, compared whole, so
 * that two tokens can never share an entry.
 */
export interface VerifiedTokenCache<T> {
  get(token: string): T | undefined;
  set(token: string, value: T): void;
}

interface Entry<T> {
  readonly token: string;
  readonly value: T;
}

/**
 * Where an entry is looked for: by the end of the signature, 128 bits and more, since hashing all of a text costs more
 * than comparing it. Tokens with the same end push each other out.
 */
const TAIL_LENGTH = 24;

/**
 * A cache of at most `capacity` entries in two generations. The young one, once it holds half of them, becomes the old
 * one, and what the old one held is forgotten unless it was used meanwhile.
 */
export function createVerifiedTokenCache<T>(capacity: number): VerifiedTokenCache<T> {
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
    set(token, value) {
      if (generationSize > 0) put(token.slice(-TAIL_LENGTH), { token, value });
    },
    get(token) {
      const tail = token.slice(-TAIL_LENGTH);
      const recent = young.get(tail);
      if (recent?.token === token) return recent.value;
      const kept = old.get(tail);
      if (kept?.token !== token) return undefined;
      put(tail, kept);
      return kept.value;
    },
  };
}
