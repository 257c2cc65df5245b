import { createMemoryLimiter } from "../src/stores/memory/memory-limiter.ts";

/**
 * Prints what a fresh process (started with --expose-gc) grew by for each of a million clients of one policy. Before,
 * it makes the same keys for a limiter that keeps few of them, so that the growth of the heap for garbage is no part
 * of it.
 */
const CLIENTS = 1_000_000;
const NOW_MS = Date.UTC(2026, 0, 1);
const POLICY = { name: "default", limit: 1000, windowMs: 3_600_000 };

function fill(maxKeys: number): ReturnType<typeof createMemoryLimiter> {
  const limiter = createMemoryLimiter({ maxKeys });
  for (let i = 0; i < CLIENTS; i++) {
    limiter.take(POLICY, `address:10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, NOW_MS);
  }
  return limiter;
}

function residentBytes(): number {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  return process.memoryUsage.rss();
}

fill(1000);
const before = residentBytes();
const limiter = fill(CLIENTS);
const after = residentBytes();
const last = limiter.take(POLICY, "address:10.0.0.0", NOW_MS);
if (last.remaining !== POLICY.limit - 2) throw new Error("the first client has been forgotten");
console.log((after - before) / CLIENTS);
