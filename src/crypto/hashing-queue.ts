import { Refusal } from "../kernel/failure.ts";
import { problem } from "../kernel/problem.ts";

export interface HashingQueueOptions {
  /** How many jobs run at once: each keeps a thread busy. */
  readonly concurrency: number;
  /** How many may wait; one more is refused. */
  readonly maxQueued: number;
  /** What one job takes, for the `Retry-After` of a refusal. */
  readonly estimatedJobMs: number;
}

/** Keeps costly work bounded, first come first served (ASVS V15.2.2). */
export interface HashingQueue {
  /**
   * Runs a job when its turn comes. Rejects with `Refusal` (503 `overloaded`, `Retry-After`) where too many wait
   * already, and with the signal's reason where the caller gives up while waiting; a job that has begun runs to its end.
   */
  run<T>(job: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Jobs running and waiting. */
  readonly pending: number;
  readonly load: HashingLoad;
}

/** How busy a queue is, and how many jobs it has refused so far. */
export interface HashingLoad {
  readonly waiting: number;
  readonly running: number;
  readonly refused: number;
}

export function createHashingQueue(options: HashingQueueOptions): HashingQueue {
  const { concurrency, maxQueued, estimatedJobMs } = options;
  const waiting: (() => void)[] = [];
  let running = 0;
  let refused = 0;

  function takeSlot(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const start = () => {
        signal?.removeEventListener("abort", giveUp);
        resolve();
      };
      const giveUp = () => {
        waiting.splice(waiting.indexOf(start), 1);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", giveUp, { once: true });
      waiting.push(start);
    });
  }

  /** Hands the slot to whoever waits longest, so that a newcomer cannot slip in between. */
  function passSlot(): void {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }

  function overloaded(): Refusal {
    refused++;
    const busyMs = ((running + waiting.length) * estimatedJobMs) / concurrency;
    const retryAfter = String(Math.max(1, Math.ceil(busyMs / 1000)));
    return new Refusal(
      problem("overloaded", "Too many sign-ins are being checked; try again later", {
        headers: ["retry-after", retryAfter],
      }),
    );
  }

  return {
    async run(job, signal) {
      signal?.throwIfAborted();
      if (running < concurrency) running++;
      else if (waiting.length < maxQueued) await takeSlot(signal);
      else throw overloaded();
      try {
        return await job();
      } finally {
        passSlot();
      }
    },
    get pending() {
      return running + waiting.length;
    },
    get load() {
      return { waiting: waiting.length, running, refused };
    },
  };
}
