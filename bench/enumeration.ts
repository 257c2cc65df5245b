import type { Report } from "./report.ts";
import { createUser, settings, startService, withDataDir } from "./service.ts";
import { createShuffle, median, rankSumP } from "./statistics.ts";

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
