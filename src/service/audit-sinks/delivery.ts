import { setTimeout as pause } from "node:timers/promises";

/** A line of the trail on its way out: an entry or a statement, in the form of an export. */
export interface Parcel {
  readonly line: string;
  /** The event's name, or `audit.checkpoint`. */
  readonly name: string;
  readonly atMs: number;
  readonly failed: boolean;
}

/** A way to the other end. */
export interface Sender {
  /** Hands over a batch; a throw is tried again, so that the other end may see a batch twice. */
  send(batch: readonly Parcel[], signal: AbortSignal): Promise<void>;
  /** Lets go of the other end, where there is something to let go of. */
  end?(): void;
}

export interface DeliveryOptions {
  readonly sender: Sender;
  /** Told the first failure of each outage, that lines are dropped, and then how many were. */
  readonly onFailure: (error: unknown) => void;
  /** First pause before another try (ms), doubled each time up to 60 times it; 500 unless told. */
  readonly pauseMs?: number;
  /** Parcels that may wait; 10,000 unless told. Beyond, new ones are dropped and counted. */
  readonly mostWaiting?: number;
}

export interface Delivery {
  push(parcel: Parcel): void;
  readonly waiting: number;
  readonly dropped: number;
  /** Gives what waits a last moment to leave. */
  close(): Promise<void>;
}

const MOST_TOGETHER = 256;
const SEND_DEADLINE_MS = 10_000;
const CLOSE_DEADLINE_MS = 2000;
const LONGEST_PAUSE_FACTOR = 60;

/** A bounded buffer in front of a receiver that may be slow or away: nothing that the service does waits for it. */
export function createDelivery(options: DeliveryOptions): Delivery {
  const { sender, onFailure, pauseMs = 500, mostWaiting = 10_000 } = options;
  const closing = new AbortController();
  let waiting: Parcel[] = [];
  let dropped = 0;
  /** Of those, how many have been told. */
  let told = 0;
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    let failures = 0;
    while (waiting.length > 0 && !closing.signal.aborted) {
      const batch = waiting.slice(0, MOST_TOGETHER);
      try {
        await sender.send(batch, AbortSignal.any([closing.signal, AbortSignal.timeout(SEND_DEADLINE_MS)]));
        waiting = waiting.slice(batch.length);
        failures = 0;
      } catch (error) {
        if (failures === 0) onFailure(error);
        const factor = Math.min(2 ** failures, LONGEST_PAUSE_FACTOR);
        failures += 1;
        await pause(pauseMs * factor, undefined, { signal: closing.signal, ref: false }).catch(
          () => undefined,
        );
      }
    }
    running = undefined;
    if (waiting.length === 0) tellDropped("takes lines again");
  }

  function drop(): void {
    if (dropped === told) onFailure(new Error("the buffer is full: lines are missed from here on"));
    dropped += 1;
  }

  function tellDropped(state: string): void {
    if (dropped > told) onFailure(new Error(`it ${state}, and has missed ${dropped - told}`));
    told = dropped;
  }

  return {
    push(parcel) {
      if (waiting.length >= mostWaiting) drop();
      else waiting.push(parcel);
      running ??= Promise.resolve().then(run);
    },
    get waiting() {
      return waiting.length;
    },
    get dropped() {
      return dropped;
    },
    async close() {
      const late = Promise.withResolvers<void>();
      // A sender on a disk that hangs hears no signal.
      closing.signal.addEventListener("abort", () => late.resolve(), { once: true });
      const deadline = setTimeout(() => closing.abort(), CLOSE_DEADLINE_MS);
      while (running !== undefined && !closing.signal.aborted) await Promise.race([running, late.promise]);
      clearTimeout(deadline);
      closing.abort();
      dropped += waiting.length;
      waiting = [];
      tellDropped("is closed");
      sender.end?.();
    },
  };
}
