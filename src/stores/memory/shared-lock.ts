/** Tries before a thread goes to sleep: what a lock protects takes less than a microsecond. */
const SPINS = 200;
/** A sleeper looks again after this long, whatever woke it or not (ms). */
const NAP_MS = 50;

const FREE = 0;

/**
 * A lock between threads over two words of shared memory: who holds it, and how many wait. The holder's number is
 * written by the same instruction that takes the lock, so that the lock of a thread that died can be told and freed.
 * It blocks the thread, which is right only for work that is far shorter than an event-loop turn.
 */
export class SharedLock {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #at: number;

  constructor(words: Int32Array<SharedArrayBuffer>, at: number) {
    this.#words = words;
    this.#at = at;
  }

  /** `holder` is a whole number above 0 that no other living thread uses. */
  acquire(holder: number): void {
    for (let spin = 0; spin < SPINS; spin++) {
      if (Atomics.compareExchange(this.#words, this.#at, FREE, holder) === FREE) return;
    }
    this.#sleep(holder);
  }

  release(): void {
    Atomics.store(this.#words, this.#at, FREE);
    if (Atomics.load(this.#words, this.#at + 1) > 0) Atomics.notify(this.#words, this.#at, 1);
  }

  isHeldBy(holder: number): boolean {
    return Atomics.load(this.#words, this.#at) === holder;
  }

  #sleep(holder: number): void {
    Atomics.add(this.#words, this.#at + 1, 1);
    for (;;) {
      const seen = Atomics.compareExchange(this.#words, this.#at, FREE, holder);
      if (seen === FREE) break;
      Atomics.wait(this.#words, this.#at, seen, NAP_MS);
    }
    Atomics.sub(this.#words, this.#at + 1, 1);
  }
}
