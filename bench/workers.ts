import type { Child } from "./child.ts";
import { createPopulation, credentialOf, type Population } from "./http/population.ts";
import { verifyContender } from "./http/verify.ts";
import { type Load, load, requireWrk, writeScript } from "./http/wrk.ts";
import { cpuSeconds, endedChildrenCpuSeconds } from "./processor-time.ts";
import type { Report, Row, RunOptions } from "./report.ts";
import { settingsOf, startService } from "./service.ts";
import { median } from "./statistics.ts";

const GOAL = 1.6;
const USERS = 1000;
const CONNECTIONS = 64;
/** Requests at once on each connection: what the generator takes of the two cores is not the workers'. */
const DEPTH = 8;
/** Each worker compiles its hot code for itself, at its share of the requests. */
const WARMUP_SECONDS = 10;
const PATH = "/protected";

const SIDES = [
  { name: "one process", args: [] },
  { name: "two workers", args: ["--workers", "2"] },
] as const;
type Side = (typeof SIDES)[number]["name"];

interface Sample extends Load {
  readonly serverCpuSeconds: number;
  readonly generatorCpuSeconds: number;
  readonly tookSeconds: number;
}

async function measure(service: Child, script: string, seconds: number): Promise<Sample> {
  const beganMs = performance.now();
  const serverBefore = await cpuSeconds(service.pid);
  const generatorBefore = await endedChildrenCpuSeconds();
  const result = await load({
    url: `${service.match[1]}${PATH}`,
    script,
    seconds,
    connections: CONNECTIONS,
  });
  return {
    ...result,
    serverCpuSeconds: (await cpuSeconds(service.pid)) - serverBefore,
    generatorCpuSeconds: (await endedChildrenCpuSeconds()) - generatorBefore,
    tookSeconds: (performance.now() - beganMs) / 1000,
  };
}

async function measureSides(
  population: Population,
  rounds: number,
  seconds: number,
): Promise<ReadonlyMap<Side, readonly Sample[]>> {
  const script = await writeScript(
    population.folder,
    PATH,
    "token",
    population.members.map((member) => credentialOf(member, "token")),
    { depth: DEPTH },
  );
  const samples = new Map<Side, Sample[]>(SIDES.map(({ name }) => [name, []]));
  const services: { readonly name: Side; readonly service: Child }[] = [];
  try {
    for (const { name, args } of SIDES) {
      const service = await startService(settingsOf(population), args);
      services.push({ name, service });
      await verifyContender(
        { name, guarded: true, shows: "token" },
        `${service.match[1]}${PATH}`,
        population,
      );
      await measure(service, script, WARMUP_SECONDS);
    }
    for (let round = 0; round < rounds; round++) {
      // One after the other, and the other way round the next time.
      for (const { name, service } of round % 2 === 0 ? services : services.toReversed()) {
        samples.get(name)!.push(await measure(service, script, seconds));
      }
    }
    return samples;
  } finally {
    await Promise.all(services.map(({ service }) => service.stop()));
  }
}

/** Measures `GET /protected` of two workers against one process. Throws as `http` does. */
export async function run({ rounds = 5, seconds = 4 }: RunOptions = {}): Promise<Report> {
  requireWrk();
  const population = await createPopulation(USERS);
  try {
    const samples = await measureSides(population, rounds, seconds);
    const of = (side: Side, pick: (sample: Sample) => number): number => median(samples.get(side)!.map(pick));
    const generatorShare = of("one process", (one) => one.generatorCpuSeconds / one.serverCpuSeconds);
    const compare = (unit: string, goal: number | null, pick: (sample: Sample) => number): Row => ({
      what: "two workers",
      against: "one process",
      ratio: of("two workers", pick) / of("one process", pick),
      goal,
      unit,
    });
    return {
      name: "workers",
      rows: [
        compare("requests/s", GOAL, (sample) => sample.requestsPerSecond),
        compare(
          "requests per server CPU second",
          null,
          (sample) => sample.requests / sample.serverCpuSeconds,
        ),
      ],
      measurements: {
        columns: ["side", "req/s", "p50 ms", "p99 ms", "server busy %", "generator busy %"],
        rows: SIDES.map(({ name }) => [
          name,
          Math.round(of(name, (sample) => sample.requestsPerSecond)).toLocaleString("en-US"),
          of(name, (sample) => sample.p50Ms).toFixed(2),
          of(name, (sample) => sample.p99Ms).toFixed(2),
          of(name, (sample) => (100 * sample.serverCpuSeconds) / sample.tookSeconds).toFixed(0),
          of(name, (sample) => (100 * sample.generatorCpuSeconds) / sample.tookSeconds).toFixed(0),
        ]),
        notes: [
          `Medians of ${rounds} rounds of ${seconds} s each, in turn; ${CONNECTIONS} connections of wrk, ${DEPTH} requests at once on each.`,
          "100 % is one core. Generator and service share the machine's cores; neither is pinned.",
          `The generator took ${generatorShare.toFixed(2)} of the one process's processor time, so that two cores leave ` +
            `two workers at most ${(2 / (1 + generatorShare)).toFixed(2)} times the rate of one process.`,
        ],
      },
    };
  } finally {
    await population.remove();
  }
}
