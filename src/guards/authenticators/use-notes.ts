/** Notes which of one kind of credential were used, for people who ask when that was last. */
export interface UseNotes<C> {
  /** Notes a use at an instant; nothing more where one of this id is being noted. */
  add(id: string, nowMs: number, context: C): void;
  /** Writes what waits, and resolves once all is written or has failed. */
  settle(): Promise<void>;
}

/** So long uses wait for others (ms), and so many at most. A store forgets what it cached of each that it changes. */
const WAIT_MS = 100;
const MOST = 100;

/**
 * Writes uses down in groups: one by one, each would cost a commit of its own. `write` gets them with what came along,
 * and the instant of the first, which is when none of them was used before. What it throws is told; the requests have
 * long gone on.
 */
export function createUseNotes<C>(
  write: (uses: ReadonlyMap<string, C>, firstMs: number) => Promise<void>,
  onFailed: (error: unknown) => void,
): UseNotes<C> {
  let waiting = new Map<string, C>();
  let firstMs = 0;
  let timer: NodeJS.Timeout | undefined;
  const underWay = new Set<string>();
  const writes = new Set<Promise<void>>();

  async function writeDown(uses: ReadonlyMap<string, C>): Promise<void> {
    for (const id of uses.keys()) underWay.add(id);
    try {
      await write(uses, firstMs);
    } catch (error) {
      onFailed(error);
    } finally {
      for (const id of uses.keys()) underWay.delete(id);
    }
  }

  function flush(): void {
    clearTimeout(timer);
    const writing = writeDown(waiting);
    waiting = new Map();
    writes.add(writing);
    void writing.finally(() => writes.delete(writing));
  }

  return {
    add(id, nowMs, context) {
      if (waiting.has(id) || underWay.has(id)) return;
      if (waiting.size === 0) {
        firstMs = nowMs;
        timer = setTimeout(flush, WAIT_MS).unref();
      }
      waiting.set(id, context);
      if (waiting.size === MOST) flush();
    },
    async settle() {
      if (waiting.size > 0) flush();
      await Promise.all(writes);
    },
  };
}
