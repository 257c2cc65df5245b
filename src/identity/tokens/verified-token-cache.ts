/**
 * Remembers what tokens were verified to say, by the whole token text: no part or digest of it, so that two tokens can
 * never share an entry.
 */
export interface VerifiedTokenCache<T> {
  get(token: string): T | undefined;
  set(token: string, value: T): void;
}

/**
 * A cache of at most `capacity` entries in two generations. The young one, once it holds half of them, becomes the old
 * one, and what the old one held is forgotten unless it was used meanwhile: a hit allocates nothing.
 */
export function createVerifiedTokenCache<T>(capacity: number): VerifiedTokenCache<T> {
  const generationSize = Math.floor(capacity / 2);
  let young = new Map<string, T>();
  let old = new Map<string, T>();

  function set(token: string, value: T): void {
    if (generationSize === 0) return;
    if (young.size >= generationSize) {
      old = young;
      young = new Map();
    }
    young.set(token, value);
  }

  return {
    set,
    get(token) {
      const recent = young.get(token);
      if (recent !== undefined) return recent;
      const kept = old.get(token);
      if (kept !== undefined) set(token, kept);
      return kept;
    },
  };
}
