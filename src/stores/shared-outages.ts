/** What threads share to tell an outage once; it can be handed to a thread as it is. */
export interface SharedOutages {
  readonly memory: SharedArrayBuffer;
  readonly threads: number;
}

/** One thread's view of an outage that others may see as well. */
export interface OutageWitness {
  /** This thread has found it. Returns whether it is the first, and so the one that tells. */
  begun(): boolean;
  /** This thread no longer finds it. Returns whether none does any more, and this is the one that tells. */
  ended(): boolean;
}

const SUBJECTS = ["redis", "database"] as const;
export type OutageSubjectName = (typeof SUBJECTS)[number];

/** Reserves it for threads with the numbers from 1 to `threads`. */
export function reserveSharedOutages(threads: number): SharedOutages {
  return { memory: new SharedArrayBuffer(4 * SUBJECTS.length * (threads + 1)), threads };
}

/**
 * Opens it for one thread. An outage lasts from the first thread that finds it to the last that still does, however
 * they come to it; one that died while it found it is forgotten when its number is opened again.
 */
export function openSharedOutages(
  { memory, threads }: SharedOutages,
  number: number,
): (subject: OutageSubjectName) => OutageWitness {
  return (subject) => {
    const words = threads + 1;
    // The first word is whether it has been told; each thread has one for whether it finds it.
    const state = new Int32Array(memory, 4 * words * SUBJECTS.indexOf(subject), words);

    function isFound(): boolean {
      for (let thread = 1; thread <= threads; thread++) if (Atomics.load(state, thread) === 1) return true;
      return false;
    }

    return {
      begun() {
        Atomics.store(state, number, 1);
        return Atomics.compareExchange(state, 0, 0, 1) === 0;
      },
      ended() {
        Atomics.store(state, number, 0);
        if (isFound() || Atomics.compareExchange(state, 0, 1, 0) === 0) return false;
        // Another may have found it in between and seen that it was told: then it goes on.
        return !(isFound() && Atomics.compareExchange(state, 0, 0, 1) === 0);
      },
    };
  };
}
