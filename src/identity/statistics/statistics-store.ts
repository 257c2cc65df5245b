import type { Role } from "../../kernel/principal.ts";

/** What is asked; all instants in ms since the epoch. */
export interface StatisticsQuery {
  readonly nowMs: number;
  /** Keys that expire until then are told apart. */
  readonly keysExpiringUntilMs: number;
  readonly signInsSinceMs: number;
  /** Rows that each count looks at, at most: an admin's question must not hold up everybody's requests. */
  readonly mostRows: number;
}

/** A number, and whether rows were left that nobody looked at: then it is at least this. */
export interface Count {
  readonly value: number;
  readonly isPartial: boolean;
}

export interface RoleCount {
  readonly role: Role;
  readonly total: number;
  readonly disabled: number;
  readonly isPartial: boolean;
}

/** What the stores hold; where there is more than a count looks at, the latest rows of each kind. */
export interface Statistics {
  readonly users: readonly RoleCount[];
  readonly liveSessions: Count;
  /** API keys that are neither revoked nor expired. */
  readonly liveKeys: Count;
  /** Of these, those that expire soon. */
  readonly expiringKeys: Count;
  /** As the audit trail has them. */
  readonly signInsSucceeded: Count;
  readonly signInsFailed: Count;
}

/** The port of numbers on what the other stores hold. */
export interface StatisticsStore {
  /** Throws `Outage`. */
  read(query: StatisticsQuery): Promise<Statistics>;
}
