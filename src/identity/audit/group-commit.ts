import { Outage } from "../../kernel/failure.ts";

export interface GroupCommitOptions<T> {
  /** Makes all of them durable, or none; a throw is every waiting one's failure. */
  readonly commit: (batch: readonly T[]) => Promise<void>;
  /** Beyond this many waiting, more are refused: memory is bounded, whatever the database does. */
  readonly mostWaiting: number;
  /** One transaction takes at most this many, so that other writers get their turn. */
  readonly mostTogether: number;
  /** Up to this many are not parted: below it the flush to the disk is most of what a commit costs. */
  readonly partedFrom: number;
}

export interface GroupCommit<T> {
  /** Resolves once `item` is durable. Throws `Outage` at once where too many wait already. */
  add(item: T): Promise<void>;
  readonly waiting: number;
  /** The first of those that are not durable yet, the ones under way among them. */
  readonly oldest: T | undefined;
  /** Resolves once nothing waits, whatever became of it. */
  settled(): Promise<void>;
}

interface Waiting<T> {
  readonly item: T;
  resolve(): void;
  reject(error: unknown): void;
}

/** One is prepared while the other is flushed to the disk. More would only wait for the lock that keeps them in order. */
const MOST_UNDER_WAY = 2;

/** What arrives while commits are under way goes together in the next one: one flush to the disk for all of them. */
export function createGroupCommit<T>(options: GroupCommitOptions<T>): GroupCommit<T> {
  const { commit, mostWaiting, mostTogether, partedFrom } = options;
  let waiting: Waiting<T>[] = [];
  const underWay = new Set<readonly Waiting<T>[]>();
  let running = 0;
  let idle: PromiseWithResolvers<void> | undefined;

  /** Where many wait, half of them: the other half is the next commit's, which does not wait for this one's flush. */
  function takeBatch(): readonly Waiting<T>[] {
    const size = Math.min(mostTogether, Math.max(partedFrom, Math.ceil(waiting.length / MOST_UNDER_WAY)));
    const batch = waiting.slice(0, size);
    waiting = waiting.slice(size);
    return batch;
  }

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      const batch = takeBatch();
      underWay.add(batch);
      try {
        await commit(batch.map(({ item }) => item));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        // The rest would fail alike, each after its own wait: whoever waits for an answer gets it now.
        const all = [...batch, ...waiting];
        waiting = [];
        for (const { reject } of all) reject(error);
      } finally {
        underWay.delete(batch);
      }
    }
    // In the same step as finding nothing more: whoever is resolved above and adds again must find its place free.
    running -= 1;
    if (running > 0) return;
    idle?.resolve();
    idle = undefined;
  }

  function start(): void {
    if (running === MOST_UNDER_WAY) return;
    running += 1;
    // Not at once: what the same turn brings goes into the same commit.
    void Promise.resolve().then(run);
  }

  return {
    add(item) {
      if (waiting.length >= mostWaiting) throw new Outage("audit trail");
      return new Promise<void>((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        start();
      });
    },
    get waiting() {
      return waiting.length;
    },
    get oldest() {
      const [batch] = underWay;
      return (batch?.[0] ?? waiting[0])?.item;
    },
    async settled() {
      while (running > 0) {
        idle ??= Promise.withResolvers();
        await idle.promise;
      }
    },
  };
}
