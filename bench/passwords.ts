import { availableParallelism, loadavg } from "node:os";
import bcrypt from "bcrypt";
import { createPasswords } from "../src/crypto/password.ts";
import type { Report, RunOptions } from "./report.ts";
import { formatReport } from "./report.ts";
import { median } from "./statistics.ts";

const COST = 12;
const LOGINS_A_CORE = 4;
const PASSWORD = "correct horse battery staple";

/** Seconds that `count` calls take which are all begun at once. */
async function measure(count: number, call: () => Promise<unknown>): Promise<number> {
  const beganMs = performance.now();
  await Promise.all(Array.from({ length: count }, call));
  return (performance.now() - beganMs) / 1000;
}

/**
 * Compares logins per second on all cores, through the queue, with the number of cores divided by the time of one
 * bcrypt. Its goal is against a bcrypt alone; cores that share caches or clocks are slower together, and the second
 * row, against a bcrypt while every core is at one, tells how much of a loss is theirs.
 */
export async function run({ rounds = 5 }: RunOptions = {}): Promise<Report> {
  const cores = availableParallelism();
  const logins = cores * LOGINS_A_CORE;
  const passwords = createPasswords({ cost: COST, concurrency: cores, maxQueued: logins });
  const stored = await passwords.hash(PASSWORD);
  const bare = await bcrypt.hash(PASSWORD, COST);
  const timesS = { alone: [] as number[], busy: [] as number[], logins: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    timesS.alone.push(await measure(1, () => bcrypt.compare(PASSWORD, bare)));
    timesS.busy.push(await measure(cores, () => bcrypt.compare(PASSWORD, bare)));
    timesS.logins.push(await measure(logins, () => passwords.verify(PASSWORD, stored)));
  }
  const aloneS = median(timesS.alone);
  const busyS = median(timesS.busy);
  const rate = logins / median(timesS.logins);
  const what = `logins at concurrency ${cores}`;
  const unit = "logins/s";
  return {
    name: "passwords",
    rows: [
      { what, against: "cores / one bcrypt, alone", ratio: rate / (cores / aloneS), goal: 0.95, unit },
      { what, against: "cores / one bcrypt, all busy", ratio: rate / (cores / busyS), goal: null, unit },
    ],
    measurements: {
      columns: ["measured", "value"],
      rows: [
        ["logins/s", rate.toFixed(2)],
        ["one bcrypt, alone (ms)", (aloneS * 1000).toFixed(0)],
        ["one bcrypt, all cores busy (ms)", (busyS * 1000).toFixed(0)],
      ],
      notes: [`Cost ${COST}; medians of ${rounds} interleaved rounds of ${logins} logins begun at once.`],
    },
  };
}

if (import.meta.main) {
  const loadBefore = loadavg()[0]!;
  console.log(formatReport(await run(), loadBefore));
}
