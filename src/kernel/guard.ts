import type { Awaitable } from "./awaitable.ts";
import type { Exchange } from "./exchange.ts";
import type { Problem } from "./problem.ts";

/** A whole response that a guard gives instead of the handler's, such as a preflight's 204. */
export interface Answer {
  readonly status: number;
  /** Flat: name, value, name, value; on top of what is staged. */
  readonly headers: readonly string[];
  readonly body: string;
}

export type Decision =
  | { readonly kind: "pass" }
  | { readonly kind: "deny"; readonly problem: Problem; readonly cause?: string }
  | { readonly kind: "answer"; readonly answer: Answer };

/** The one frozen pass: letting a request through allocates nothing. */
export const PASS: Decision = Object.freeze({ kind: "pass" });

/** A refusal; `cause` is for the log alone. */
export function deny(problem: Problem, cause?: string): Decision {
  return cause === undefined ? { kind: "deny", problem } : { kind: "deny", problem, cause };
}

/**
 * Looks at an exchange and decides; it never writes a response. One that needs no I/O answers synchronously, and the
 * pipeline awaits only a promise. An outage is a throw.
 */
export interface Guard {
  readonly name: string;
  check(exchange: Exchange): Awaitable<Decision>;
}
