import { parentPort, workerData } from "node:worker_threads";
import { createSharedLimiter } from "../../src/stores/memory/shared-limiter.ts";

const { limits, holder, takes, keys, limit, barrier, threads } = workerData;
const limiter = createSharedLimiter(limits, holder);
const policy = { name: "threads", limit, windowMs: 3_600_000 };
const granted = new Array<number>(keys).fill(0);
// All begin at once, or the first would be done before the last is there.
Atomics.add(barrier, 0, 1);
while (Atomics.load(barrier, 0) < threads) Atomics.wait(barrier, 0, Atomics.load(barrier, 0), 1);
for (let n = 0; n < takes; n++) {
  const key = n % keys;
  if (limiter.take(policy, `client:${key}`, 1_767_225_600_000).allowed) granted[key]!++;
}
parentPort!.postMessage(granted);
