import type { Clock } from "../kernel/clock.ts";
import { steadyClock } from "../kernel/clock.ts";

/** `closed`: all is well. `open`: the dependency is left alone. `half-open`: probes succeed, requests still wait. */
export type BreakerState = "closed" | "half-open" | "open";

/** How a dependency is doing, for whoever shows it. */
export interface BreakerView {
  state(): BreakerState;
  /** Since the start: calls and probes that failed, and how often it opened. */
  counts(): { readonly failures: number; readonly openings: number };
}

export interface Breaker extends BreakerView {
  /**
   * A call failed. Once the breaker is open that tells nothing: the call was made before. Nor does a call that succeeds,
   * as it may have been answered by a part that is well.
   */
  failed(cause: unknown): void;
  /** What became of a probe, which asks every part: the way back. */
  probeSucceeded(): void;
  probeFailed(cause: unknown): void;
  /** Opens it at once. */
  open(cause: unknown): void;
}

export interface BreakerOptions {
  /** Called once for each change between working and not. */
  readonly onOpen: (cause: unknown) => void;
  readonly onClose: () => void;
  /** For durations. */
  readonly clock?: Clock;
}

/**
 * One failure may be a hiccup, and a connection that is made anew makes many at once. These many without a good probe
 * between them, over this long (ms), are an outage.
 */
const FAILURES_TO_OPEN = 3;
const TROUBLE_MS = 100;
const PROBES_TO_CLOSE = 3;

/** A circuit breaker (Nygard, Release It!): what keeps failing is not asked again until probes succeed. */
export function createBreaker({ onOpen, onClose, clock = steadyClock }: BreakerOptions): Breaker {
  let state: BreakerState = "closed";
  /** Failures since the last good probe while closed, good probes in a row while not. */
  let inRow = 0;
  let firstFailedMs = 0;
  let failures = 0;
  let openings = 0;

  function open(cause: unknown): void {
    const wasClosed = state === "closed";
    state = "open";
    inRow = 0;
    if (!wasClosed) return;
    openings++;
    onOpen(cause);
  }

  const breaker: Breaker = {
    state: () => state,
    counts: () => ({ failures, openings }),
    failed(cause) {
      failures++;
      if (state !== "closed") return;
      if (++inRow === 1) firstFailedMs = clock.now();
      if (inRow >= FAILURES_TO_OPEN && clock.now() - firstFailedMs >= TROUBLE_MS) open(cause);
    },
    probeSucceeded() {
      if (state === "closed") {
        inRow = 0;
        return;
      }
      state = "half-open";
      if (++inRow < PROBES_TO_CLOSE) return;
      state = "closed";
      inRow = 0;
      onClose();
    },
    probeFailed(cause) {
      if (state === "closed") {
        breaker.failed(cause);
        return;
      }
      failures++;
      open(cause);
    },
    open,
  };
  return breaker;
}
