import type { Exchange } from "./exchange.ts";
import type { Decision } from "./guard.ts";

/**
 * Is told of every request on its way, for metrics and traces. It is called in line on the hot path: it counts, does no
 * I/O, and must not throw.
 */
export interface Observer {
  /** The names of the guards in their order, once, before the first request. */
  attached(guardNames: readonly string[]): void;
  /** A request has come in. */
  opened(exchange: Exchange): void;
  /** The walk ended with the decision of guard number `at`, or passed them all, `at` then being their number. */
  decided(exchange: Exchange, at: number, decision: Decision): void;
  /** The walk ended because guard number `at` failed: a dependency is down, or a fault of ours. */
  failed(exchange: Exchange, at: number, error: unknown): void;
  /** The head of the response is about to be written. */
  answered(exchange: Exchange, status: number): void;
}

/** Tells two observers, one after the other. */
export function bothObservers(one: Observer, other: Observer): Observer {
  return {
    attached(guardNames) {
      one.attached(guardNames);
      other.attached(guardNames);
    },
    opened(exchange) {
      one.opened(exchange);
      other.opened(exchange);
    },
    decided(exchange, at, decision) {
      one.decided(exchange, at, decision);
      other.decided(exchange, at, decision);
    },
    failed(exchange, at, error) {
      one.failed(exchange, at, error);
      other.failed(exchange, at, error);
    },
    answered(exchange, status) {
      one.answered(exchange, status);
      other.answered(exchange, status);
    },
  };
}
