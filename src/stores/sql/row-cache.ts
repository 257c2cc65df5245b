/** A bounded map that forgets what was not asked for lately. Values are never `undefined`. */
export interface RowCache<T> {
  get(key: string): T | undefined;
  set(key: string, value: T): void;
  delete(key: string): void;
  clear(): void;
}

/**
 * Two generations of half the capacity each: what is found in the old one moves to the young one, and when the young
 * one is full, the old one is dropped whole. Near to LRU, and constant in time where a `Map` used as a queue is not.
 */
export function createRowCache<T>(capacity: number): RowCache<T> {
  const half = Math.max(1, Math.floor(capacity / 2));
  let young = new Map<string, T>();
  let old = new Map<string, T>();

  function set(key: string, value: T): void {
    if (young.size >= half && !young.has(key)) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
  }

  return {
    get(key) {
      const value = young.get(key);
      if (value !== undefined || old.size === 0) return value;
      const older = old.get(key);
      if (older !== undefined) set(key, older);
      return older;
    },
    set,
    delete(key) {
      young.delete(key);
      old.delete(key);
    },
    clear() {
      young = new Map();
      old = new Map();
    },
  };
}
