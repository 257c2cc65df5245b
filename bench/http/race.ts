import { cpuSeconds } from "../processor-time.ts";
import type { Measurements, Report, Row, RunOptions } from "../report.ts";
import { createShuffle, median } from "../statistics.ts";
import { type Contender, type Goal, PATH, type RunningContender, startContenders } from "./contenders.ts";
import { type Credential, createPopulation, credentialOf, type Population } from "./population.ts";
import { type Load, load, requireWrk, writeScript } from "./wrk.ts";

const USERS = 1000;
const CONNECTIONS = 64;
const SERVER_CORE = 0;
const LOAD_CORE = 1;
const WARMUP_SECONDS = 2;
const SEED = 20_240_229;

interface Sample extends Load {
  /** Seconds of processor time the server used. */
  readonly cpuSeconds: number;
}

/** One interleaved comparison of servers that answer `GET /protected`. */
export interface Race {
  readonly name: string;
  readonly contenders: readonly Contender[];
  readonly goals: readonly Goal[];
  /** Whether the goals are in processor time, which other work on the machine hardly moves; else in requests a second. */
  readonly byCost?: boolean;
  readonly notes?: readonly string[];
}

async function measure(contender: RunningContender, script: string, seconds: number): Promise<Sample> {
  const before = await cpuSeconds(contender.pid);
  const result = await load({
    url: contender.url,
    script,
    seconds,
    connections: CONNECTIONS,
    core: LOAD_CORE,
  });
  return { ...result, cpuSeconds: (await cpuSeconds(contender.pid)) - before };
}

async function measureAll(
  contenders: readonly RunningContender[],
  population: Population,
  rounds: number,
  seconds: number,
): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const scripts = new Map<Credential, string>();
  for (const shows of new Set(contenders.map((contender) => contender.shows))) {
    const headers = population.members.map((member) => credentialOf(member, shows));
    scripts.set(shows, await writeScript(population.folder, PATH, shows, headers));
  }
  const shuffle = createShuffle(SEED);
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const contender of shuffle(contenders)) {
      const script = scripts.get(contender.shows)!;
      if (round === 1) await measure(contender, script, WARMUP_SECONDS);
      samples.get(contender.name)!.push(await measure(contender, script, seconds));
    }
  }
  return samples;
}

const integer = (number: number): string => Math.round(number).toLocaleString("en-US");

function describe(samples: ReadonlyMap<string, readonly Sample[]>, notes: readonly string[]): Measurements {
  const rows = [...samples].map(([name, list]) => {
    const of = (pick: (sample: Sample) => number): number => median(list.map(pick));
    const rates = list.map((sample) => sample.requestsPerSecond);
    return [
      name,
      integer(of((sample) => sample.requestsPerSecond)),
      integer(Math.min(...rates)),
      integer(Math.max(...rates)),
      of((sample) => sample.p50Ms).toFixed(2),
      of((sample) => sample.p99Ms).toFixed(2),
      of((sample) => (sample.cpuSeconds / sample.requests) * 1_000_000).toFixed(1),
      (100 * of((sample) => (sample.cpuSeconds * sample.requestsPerSecond) / sample.requests)).toFixed(0),
    ];
  });
  return {
    columns: [
      "contender",
      "req/s",
      "lowest",
      "highest",
      "p50 ms",
      "p99 ms",
      "server CPU µs/req",
      "server busy %",
    ],
    rows,
    notes,
  };
}

/** The goals' ratios, by requests a second and by processor time; the ones that are no goals are there for reference. */
function compare(samples: ReadonlyMap<string, readonly Sample[]>, { goals, byCost = false }: Race): Row[] {
  const of = (name: string, pick: (sample: Sample) => number): number => median(samples.get(name)!.map(pick));
  const rate = (sample: Sample): number => sample.requestsPerSecond;
  const cost = (sample: Sample): number => sample.cpuSeconds / sample.requests;
  const byRate = goals.map(({ what, against, goal }) => ({
    what,
    against,
    ratio: of(what, rate) / of(against, rate),
    goal: byCost ? null : goal,
    unit: "requests/s",
  }));
  const byProcessor = goals.map(({ what, against, goal }) => ({
    what,
    against,
    ratio: of(against, cost) / of(what, cost),
    goal: byCost ? goal : null,
    unit: "requests per server CPU second",
  }));
  return byCost ? [...byProcessor, ...byRate] : [...byRate, ...byProcessor];
}

/**
 * Measures `GET /protected` of every contender of a race in one interleaved run.
 * Throws `MissingTool` where `wrk` or `taskset` is missing, and where a contender fails a single request.
 */
export async function runRace(race: Race, { rounds = 5, seconds = 4 }: RunOptions = {}): Promise<Report> {
  requireWrk();
  const population = await createPopulation(USERS);
  try {
    const contenders = await startContenders(race.contenders, population, SERVER_CORE);
    let samples: ReadonlyMap<string, readonly Sample[]>;
    try {
      samples = await measureAll(contenders, population, rounds, seconds);
    } finally {
      await Promise.all(contenders.map((contender) => contender.stop()));
    }
    const notes = [
      `Medians of ${rounds} rounds of ${seconds} s each, all contenders in turn, reshuffled every round (seed ${SEED}).`,
      `${CONNECTIONS} connections of wrk on core ${LOAD_CORE}, servers on core ${SERVER_CORE}; ` +
        `${USERS} credentials of ${USERS} users in rotation, the same requests for all.`,
      ...(race.notes ?? []),
    ];
    return { name: race.name, rows: compare(samples, race), measurements: describe(samples, notes) };
  } finally {
    await population.remove();
  }
}
