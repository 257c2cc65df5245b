import { generateSecret } from "../src/crypto/keyring.ts";
import { systemRandom } from "../src/kernel/random.ts";
import { startPostgres } from "../test/stores/postgres-server.ts";
import { startRedis } from "../test/stores/redis-server.ts";
import { startChild } from "./child.ts";
import { credentialOf, signUp } from "./http/population.ts";
import { type Load, load, requireWrk, writeScript } from "./http/wrk.ts";
import type { Report, RunOptions } from "./report.ts";
import { settings, withDataDir } from "./service.ts";
import { median } from "./statistics.ts";

const MAIN = new URL("../src/cli/main.ts", import.meta.url).pathname;
const USERS = 1000;
const CONNECTIONS = 64;
const SERVER_CORE = 0;
const LOAD_CORE = 1;
const WARMUP_SECONDS = 2;
const START_DEADLINE_MS = 30_000;
const GOAL = 0.6;
const PATH = "/protected";

interface Contender {
  readonly name: string;
  readonly url: string;
  readonly script: string;
  readonly samples: Load[];
  stop(): Promise<void>;
}

async function start(name: string, dataDir: string, stores: Record<string, string>): Promise<Contender> {
  const secret = generateSecret(systemRandom);
  const { members } = await signUp(USERS, stores["DATABASE_URL"]!, secret);
  const tokens = members.map((member) => credentialOf(member, "token"));
  const script = await writeScript(dataDir, PATH, "token", tokens);
  const service = await startChild({
    args: [MAIN, "serve"],
    // So high that nobody is refused: what is measured is the counting.
    env: { ...settings(dataDir), ...stores, KYROS_SECRET: secret, KYROS_RATE_LIMIT: "100000000/15m" },
    core: SERVER_CORE,
    ready: /^kyros listening on (http:\/\/\S+)$/,
    deadlineMs: START_DEADLINE_MS,
  });
  return { name, url: service.match[1]! + PATH, script, samples: [], stop: service.stop };
}

async function measure(contenders: readonly Contender[], rounds: number, seconds: number): Promise<void> {
  for (let round = 0; round <= rounds; round++) {
    for (const { url, script, samples } of round % 2 === 0 ? contenders : contenders.toReversed()) {
      const options = { url, script, connections: CONNECTIONS, core: LOAD_CORE };
      const sample = await load({ ...options, seconds: round === 0 ? WARMUP_SECONDS : seconds });
      if (round > 0) samples.push(sample);
    }
  }
}

/** Compares `GET /protected` over Redis and PostgreSQL with the same over memory and SQLite. */
export async function run({ rounds = 5, seconds = 3 }: RunOptions = {}): Promise<Report> {
  requireWrk();
  const [postgres, redis] = await Promise.all([startPostgres(["fsync = on"]), startRedis()]);
  const running: Contender[] = [];
  try {
    return await withDataDir((ownDir) =>
      withDataDir(async (sharedDir) => {
        running.push(await start("SQLite and memory", ownDir, { DATABASE_URL: `sqlite:${ownDir}/kyros.db` }));
        running.push(
          await start("PostgreSQL and Redis", sharedDir, {
            DATABASE_URL: postgres.url,
            REDIS_URL: redis.url,
          }),
        );
        await measure(running, rounds, seconds);
        return describe(running, rounds, seconds);
      }),
    );
  } finally {
    await Promise.all(running.map((contender) => contender.stop()));
    await Promise.all([redis.stop(), postgres.stop()]);
  }
}

function describe(contenders: readonly Contender[], rounds: number, seconds: number): Report {
  const [own, shared] = contenders.map(({ samples }) =>
    median(samples.map(({ requestsPerSecond }) => requestsPerSecond)),
  );
  return {
    name: "shared-stores",
    rows: [
      {
        what: "GET /protected over PostgreSQL and Redis",
        against: "SQLite and memory",
        ratio: shared! / own!,
        goal: GOAL,
        unit: "requests/s",
      },
    ],
    measurements: {
      columns: ["stores", "req/s", "lowest", "highest", "p50 ms", "p99 ms"],
      rows: contenders.map(({ name, samples }) => {
        const rates = samples.map(({ requestsPerSecond }) => requestsPerSecond);
        return [
          name,
          ...[median(rates), Math.min(...rates), Math.max(...rates)].map((rate) => rate.toFixed(0)),
          median(samples.map(({ p50Ms }) => p50Ms)).toFixed(2),
          median(samples.map(({ p99Ms }) => p99Ms)).toFixed(2),
        ];
      }),
      notes: [
        `Medians of ${rounds} rounds of ${seconds} s each, in turn; ${CONNECTIONS} connections, ${USERS} tokens in rotation.`,
        `The service on core ${SERVER_CORE}, wrk on core ${LOAD_CORE}; PostgreSQL and Redis run where there is room, and ` +
          "so take from both.",
      ],
    },
  };
}
