import type { Problem } from "./problem.ts";

/** A denial thrown by a domain: it becomes the answer its `Problem` says. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/**
 * A dependency (database, Redis, …) did not answer. Never a denial and never a pass: the caller gets 503
 * `unavailable`, and the cause goes to the log alone (ASVS V16.5.2, V16.5.3).
 */
export class Outage extends Error {
  override readonly name = "Outage";
  readonly dependency: string;

  constructor(dependency: string, options?: { cause?: unknown }) {
    super(`${dependency} is not available`, options);
    this.dependency = dependency;
  }
}
