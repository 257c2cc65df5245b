import { createPopulation, credentialOf } from "./http/population.ts";
import { type Load, load, requireWrk, writeScript } from "./http/wrk.ts";
import { cpuSeconds } from "./processor-time.ts";
import type { Report, RunOptions } from "./report.ts";
import { settingsOf, startService } from "./service.ts";
import { median } from "./statistics.ts";

const USERS = 1000;
const CONNECTIONS = 64;
const LOAD_CORE = 1;
const WARMUP_SECONDS = 2;
const PATHS = ["/forward-auth", "/protected"] as const;
type Path = (typeof PATHS)[number];

/** What a proxy says of the request that it asks about; sent on both paths, so that both read it. */
const HEADERS = {
  "x-forwarded-method": "GET",
  "x-forwarded-proto": "https",
  "x-forwarded-host": "app.example",
  "x-forwarded-uri": "/jobs/17?full=1",
  "x-forwarded-for": "203.0.113.7",
};

interface Sample extends Load {
  readonly cpuSeconds: number;
}

async function verify(origin: string, token: string): Promise<void> {
  const ask = (authorization: string) =>
    fetch(`${origin}/forward-auth`, { headers: { ...HEADERS, authorization } });
  const [known, nobody] = [await ask(`Bearer ${token}`), await ask("Bearer none")];
  if (known.status !== 200 || known.headers.get("x-auth-user") === null || nobody.status !== 401) {
    throw new Error(`the gate is not fit to be measured: it answered ${known.status} and ${nobody.status}`);
  }
}

/** Measures what asking the gate costs, against a request of its own to the service. Throws as `http` does. */
export async function run({ rounds = 5, seconds = 4 }: RunOptions = {}): Promise<Report> {
  requireWrk();
  const population = await createPopulation(USERS);
  const samples = new Map<Path, Sample[]>(PATHS.map((path) => [path, []]));
  try {
    const service = await startService({ ...settingsOf(population), KYROS_TRUST_PROXY: "127.0.0.1/32" });
    try {
      const origin = service.match[1]!;
      await verify(origin, population.members[0]!.token);
      const credentials = population.members.map((member) => credentialOf(member, "token"));
      for (let round = -1; round < rounds; round++) {
        for (const path of round % 2 === 0 ? PATHS : PATHS.toReversed()) {
          const script = await writeScript(population.folder, path, "token", credentials, {
            headers: HEADERS,
          });
          const before = await cpuSeconds(service.pid);
          const result = await load({
            url: `${origin}${path}`,
            script,
            seconds: round < 0 ? WARMUP_SECONDS : seconds,
            connections: CONNECTIONS,
            core: LOAD_CORE,
          });
          if (round < 0) continue;
          samples.get(path)!.push({ ...result, cpuSeconds: (await cpuSeconds(service.pid)) - before });
        }
      }
    } finally {
      await service.stop();
    }
  } finally {
    await population.remove();
  }
  const of = (path: Path, pick: (sample: Sample) => number): number => median(samples.get(path)!.map(pick));
  const compare = (unit: string, pick: (sample: Sample) => number) => ({
    what: "/forward-auth",
    against: "/protected",
    ratio: of("/forward-auth", pick) / of("/protected", pick),
    goal: null,
    unit,
  });
  return {
    name: "gate",
    rows: [
      compare("requests/s", (sample) => sample.requestsPerSecond),
      compare("requests per server CPU second", (sample) => sample.requests / sample.cpuSeconds),
    ],
    measurements: {
      columns: ["path", "req/s", "p50 ms", "p99 ms", "server CPU µs/req"],
      rows: PATHS.map((path) => [
        path,
        Math.round(of(path, (sample) => sample.requestsPerSecond)).toLocaleString("en-US"),
        of(path, (sample) => sample.p50Ms).toFixed(2),
        of(path, (sample) => sample.p99Ms).toFixed(2),
        of(path, (sample) => (sample.cpuSeconds / sample.requests) * 1_000_000).toFixed(1),
      ]),
      notes: [
        `Medians of ${rounds} rounds of ${seconds} s each, in turn; ${CONNECTIONS} connections of wrk on core ${LOAD_CORE}, ` +
          `${USERS} tokens in rotation; the service is not pinned. Both are told the same forwarded headers.`,
      ],
    },
  };
}
