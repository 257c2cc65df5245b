import { Outage } from "../../kernel/failure.ts";

export interface GroupCommitOptions<T> {
  /** Makes all of them durable, or none; a throw is every waiting one's failure. */
  readonly commit: (batch: readonly T[]) => Promise<void>;
  /** Beyond this many waiting, more are refused: memory is bounded, whatever the database does. */
  readonly mostWaiting: number;
  /** One transaction takes at most this many, so that other writers get their turn. */
  readonly mostTogether: number;
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

/** What arrives while a commit is under way goes together in the next one: one flush to the disk for all of them. */
export function createGroupCommit<T>(options: GroupCommitOptions<T>): GroupCommit<T> {
  const { commit, mostWaiting, mostTogether } = options;
  let waiting: Waiting<T>[] = [];
  let underWay: readonly Waiting<T>[] = [];
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, mostTogether);
      waiting = waiting.slice(mostTogether);
      underWay = batch;
      try {
        await commit(batch.map(({ item }) => item));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        // The rest would fail alike, each after its own wait: whoever waits for an answer gets it now.
        const all = [...batch, ...waiting];
        waiting = [];
        for (const { reject } of all) reject(error);
      }
    }
    underWay = [];
    // In the same step as finding nothing more: whoever is resolved above and adds again must find it free.
    running = undefined;
  }

  function start(): void {
    // Not at once: what the same turn brings goes into the same commit.
    running ??= Promise.resolve().then(run);
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
      return (underWay[0] ?? waiting[0])?.item;
    },
    async settled() {
      while (running !== undefined) await running;
    },
  };
}
