import { availableParallelism } from "node:os";
import bcrypt from "bcrypt";
import { createPasswords } from "../src/crypto/password.ts";
import type { Report } from "./report.ts";

const COST = 12;
const JOBS_A_CORE = 6;

/** Verifications a second with as many at once as there are cores, against cores ÷ the time of one bare bcrypt. */
export async function run(): Promise<Report> {
  const cores = availableParallelism();
  const passwords = createPasswords({ cost: COST, concurrency: cores, maxQueued: 1000 });
  const stored = await passwords.hash("correct horse battery staple");
  const bare = await bcrypt.hash("x", COST);

  const startBareMs = performance.now();
  for (let i = 0; i < JOBS_A_CORE; i++) await bcrypt.compare("y", bare);
  const oneMs = (performance.now() - startBareMs) / JOBS_A_CORE;

  const jobs = JOBS_A_CORE * cores;
  const startMs = performance.now();
  await Promise.all(Array.from({ length: jobs }, () => passwords.verify("wrong horse", stored)));
  const perSecond = jobs / ((performance.now() - startMs) / 1000);
  const ratio = perSecond / (cores / (oneMs / 1000));
  return {
    name: "passwords",
    rows: [{ what: "verifications a second", against: "cores ÷ one bcrypt", ratio, goal: 0.95 }],
  };
}
