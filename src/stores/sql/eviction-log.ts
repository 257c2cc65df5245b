/**
 * Which rows were evicted from a cache while reads were under way. A read that began before an eviction may have seen
 * the row as it was before the change; what it found must not be kept.
 */
export interface EvictionLog {
  /** Notes the start of a read; what it returns is given to `end`, once. */
  begin(): number;
  /** Notes the end of a read; whether what it found of `key` may be cached. Without a key, it found nothing to keep. */
  end(begun: number, key?: string): boolean;
  evict(key: string): void;
  evictAll(): void;
}

/** Beyond this many evictions during one read, no read that is under way is trusted any more. */
const MOST_NOTED = 10_000;

export function createEvictionLog(): EvictionLog {
  const evictedAt = new Map<string, number>();
  let serial = 0;
  let allEvictedAt = 0;
  let reading = 0;

  function evictAll(): void {
    serial += 1;
    allEvictedAt = serial;
    evictedAt.clear();
  }

  return {
    begin() {
      reading += 1;
      return serial;
    },
    end(begun, key) {
      const keep = key !== undefined && allEvictedAt <= begun && (evictedAt.get(key) ?? 0) <= begun;
      reading -= 1;
      if (reading === 0) evictedAt.clear();
      return keep;
    },
    evict(key) {
      if (reading === 0) return;
      if (evictedAt.size >= MOST_NOTED) return evictAll();
      serial += 1;
      evictedAt.set(key, serial);
    },
    evictAll,
  };
}
