/** One answer of the journal, all of it of one snapshot. */
export interface JournalPage {
  /** Every transaction below this id had ended. */
  readonly horizon: string;
  /** Whether an entry from below the position asked for is still there, so that none after it can have been pruned. */
  readonly whole: boolean;
  /** Entries from the position on, in no order: at most one more than `MOST_ENTRIES`. */
  readonly entries: readonly JournalEntry[];
}

/** An entry without a table stands for all rows. */
export type JournalEntry = readonly [seq: number, table: string, key: string];

export interface Evictions {
  evict(table: string, key: string): void;
  evictAll(): void;
}

export interface JournalPosition {
  /** The transaction id from which on entries are to be read next. */
  readonly from: string;
  /** Evicts what a page names for the first time, and moves on. */
  take(page: JournalPage): void;
  /** Goes back to where nothing is known: the next page evicts everything. */
  reset(): void;
}

/** Beyond this many changes at once, reading all rows again is cheaper than reading the journal. */
export const MOST_ENTRIES = 4096;

/** No transaction has this id: from here on there are no entries, and below it are all. */
const NOWHERE = "18446744073709551615";

/**
 * Follows the journal by transaction id. Entries are numbered when they are written and seen when their transaction
 * commits, so a number seen does not mean that all lower ones were. A transaction below the horizon, though, has
 * ended: what it wrote was in that page or never comes. So the next page begins at the horizon of the last, and what
 * both contain is evicted once: the first time is enough, as it came after the commit.
 */
export function createJournalPosition({ evict, evictAll }: Evictions): JournalPosition {
  let from = NOWHERE;
  let seen: ReadonlySet<number> = new Set();

  return {
    get from() {
      return from;
    },
    take({ horizon, whole, entries }) {
      if (from === NOWHERE || !whole || entries.length > MOST_ENTRIES || BigInt(horizon) < BigInt(from)) {
        evictAll();
        // Below the horizon nothing more comes; above it, what comes again is evicted again.
        seen = new Set();
      } else {
        for (const [seq, table, key] of entries) {
          if (seen.has(seq)) continue;
          if (table === "") evictAll();
          else evict(table, key);
        }
        seen = new Set(entries.map(([seq]) => seq));
      }
      from = horizon;
    },
    reset() {
      from = NOWHERE;
    },
  };
}
