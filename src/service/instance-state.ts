import { readFileSync } from "node:fs";
import type { Clock } from "../kernel/clock.ts";
import type { BreakerView } from "../stores/breaker.ts";

/** How this instance, or this worker of it, does. */
export interface InstanceState {
  readonly version: string;
  readonly startedAtMs: number;
  readonly uptimeMs: number;
  /** Password hashes waiting and being computed, and refused so far because too many were waiting. */
  readonly hashing: { readonly waiting: number; readonly running: number; readonly refused: number };
  /** Where limits are counted. */
  readonly limits: "memory" | "workers" | "redis";
  /** How the way to Redis is, where there is one. */
  readonly redis: ReturnType<BreakerView["state"]> | undefined;
  /** Events that the audit trail has taken and not yet made durable. */
  readonly auditWaiting: number;
}

export interface InstanceParts {
  readonly clock: Clock;
  readonly steadyClock: Clock;
  readonly hashing: () => InstanceState["hashing"];
  readonly limits: InstanceState["limits"];
  readonly redis: BreakerView | undefined;
  readonly auditWaiting: () => number;
}

/** Beside the sources and the built files alike. */
const PACKAGE = new URL("../../package.json", import.meta.url);

/** Tells the state of the instance that is starting now. */
export function watchInstance(parts: InstanceParts): () => InstanceState {
  const { clock, steadyClock, hashing, limits, redis, auditWaiting } = parts;
  const { version } = JSON.parse(readFileSync(PACKAGE, "utf8")) as { version: string };
  const startedAtMs = clock.now();
  const sinceMs = steadyClock.now();
  return () => ({
    version,
    startedAtMs,
    uptimeMs: steadyClock.now() - sinceMs,
    hashing: hashing(),
    limits,
    redis: redis?.state(),
    auditWaiting: auditWaiting(),
  });
}
