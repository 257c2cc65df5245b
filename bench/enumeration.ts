import type { Report } from "./report.ts";
import { createUser, settings, startService, withDataDir } from "./service.ts";
import { createShuffle, median } from "./statistics.ts";

const PAIRS = 500;
const SEED = 20_240_229;
/** The cheapest hash that production allows to be marked as wanted: the less it takes, the more a difference shows. */
const COST = "10";

/**
 * Whether the time of a refused sign-in tells that the account exists: as many wrong passwords for a known name as for
 * unknown ones, one after the other in shuffled order, by the rank-sum test of Mann and Whitney (normal approximation).
 * From the hundredth on the known name is locked, which must not show either.
 */
export function run(): Promise<Report> {
  return withDataDir(async (dataDir) => {
    const env = { ...settings(dataDir), KYROS_BCRYPT_COST: COST };
    await createUser(env, "known", "correct horse battery staple");
    const service = await startService(env);
    try {
      const { known, unknown } = await measure(service.match[1]!);
      const gap = Math.max(median(known) / median(unknown), median(unknown) / median(known));
      return {
        name: "enumeration",
        rows: [
          {
            what: "known against unknown name",
            against: "equal",
            unit: "median time",
            ratio: gap,
            goal: 1.05,
            bound: "atMost",
          },
          {
            what: "known against unknown name",
            against: "equal",
            unit: "rank-sum p",
            ratio: rankSumP(known, unknown),
            goal: 0.01,
          },
        ],
      };
    } finally {
      await service.stop();
    }
  });
}

async function measure(url: string): Promise<{ known: number[]; unknown: number[] }> {
  const known: number[] = [];
  const unknown: number[] = [];
  const tries = Array.from({ length: 2 * PAIRS }, (_, at) => at);
  for (const at of createShuffle(SEED)(tries)) {
    const isKnown = at < PAIRS;
    const body = JSON.stringify({
      username: isKnown ? "known" : `other${at}`,
      password: `wrong horse ${at}`,
    });
    const startMs = performance.now();
    const response = await fetch(`${url}/auth/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    await response.arrayBuffer();
    (isKnown ? known : unknown).push(performance.now() - startMs);
    if (response.status !== 401) throw new Error(`a wrong password was answered with ${response.status}`);
  }
  return { known, unknown };
}

/** Two-sided; ties are as good as none among times this fine. */
function rankSumP(a: readonly number[], b: readonly number[]): number {
  const ranked = [...a.map((ms) => ({ ms, mine: true })), ...b.map((ms) => ({ ms, mine: false }))].sort(
    (one, other) => one.ms - other.ms,
  );
  let rankSum = 0;
  ranked.forEach(({ mine }, at) => {
    if (mine) rankSum += at + 1;
  });
  const u = rankSum - (a.length * (a.length + 1)) / 2;
  const deviation = Math.sqrt((a.length * b.length * (a.length + b.length + 1)) / 12);
  return 2 * (1 - normal(Math.abs((u - (a.length * b.length) / 2) / deviation)));
}

/** The standard normal distribution function for z ≥ 0 (Abramowitz and Stegun 26.2.17, error below 7.5e-8). */
function normal(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const tail =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return 1 - (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * tail;
}
