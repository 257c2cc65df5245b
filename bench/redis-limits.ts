import { loadavg } from "node:os";
import { Redis } from "ioredis";
import { RateLimiterRedis } from "rate-limiter-flexible";
import { openRedisConnection } from "../src/stores/redis/connection.ts";
import { GCRA_SCRIPT } from "../src/stores/redis/gcra-script.ts";
import { createRedisLimiter } from "../src/stores/redis/redis-limiter.ts";
import { startBenchRedis } from "./redis-process.ts";
import { formatReport, type Report, type RunOptions } from "./report.ts";
import { createShuffle, median, percentile } from "./statistics.ts";

const CLIENTS = 10_000;
const IN_FLIGHT = [64, 512] as const;
const GOALS: Readonly<Record<number, number>> = { 64: 1.25, 512: 1.8 };
const POLICY = { name: "default", limit: 1_000_000, windowMs: 3_600_000 };
const SIDES = ["kyros", "peer"] as const;
type Side = (typeof SIDES)[number];

/** Decides one request of a client; throws where it is refused. */
type Decide = (client: string) => Promise<void>;

interface Measured {
  readonly perSecond: number[];
  readonly p99Ms: number[];
}

function createKyros(url: string): { decide: Decide; close(): void } {
  const connection = openRedisConnection({ urls: [url], deadlineMs: 5000 });
  const run = connection.script("kyrosTake", GCRA_SCRIPT);
  const limiter = createRedisLimiter({ run, hashKey: new Uint8Array(16).fill(1), partitions: 1 });
  return {
    async decide(client) {
      const { allowed } = await limiter.take(POLICY, client, 0);
      if (!allowed) throw new Error("a request was refused");
    },
    close: connection.close,
  };
}

function createPeer(url: string): { decide: Decide; close(): void } {
  const storeClient = new Redis(url);
  const limiter = new RateLimiterRedis({
    storeClient,
    points: POLICY.limit,
    duration: POLICY.windowMs / 1000,
  });
  return {
    // It rejects where it refuses.
    decide: async (client) => void (await limiter.consume(client)),
    close: () => storeClient.disconnect(),
  };
}

/** Keeps `inFlight` decisions under way, each of the next client in random order, for so many seconds. */
async function drive(decide: Decide, clients: readonly string[], inFlight: number, seconds: number) {
  const took: number[] = [];
  const beganMs = performance.now();
  const endMs = beganMs + seconds * 1000;
  let next = 0;
  const worker = async () => {
    for (let nowMs = performance.now(); nowMs < endMs; ) {
      await decide(clients[next++ % clients.length]!);
      const doneMs = performance.now();
      took.push(doneMs - nowMs);
      nowMs = doneMs;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return { perSecond: took.length / ((performance.now() - beganMs) / 1000), p99Ms: percentile(took, 0.99) };
}

async function untilReady(decide: Decide): Promise<void> {
  for (let tries = 100; ; tries--) {
    try {
      await decide("warm-up");
      return;
    } catch (error) {
      if (tries === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

export async function run({ rounds = 7, seconds = 2 }: RunOptions = {}): Promise<Report> {
  const redis = await startBenchRedis();
  const contenders = { kyros: createKyros(redis.url), peer: createPeer(redis.url) };
  try {
    const shuffle = createShuffle(1);
    const clients = shuffle(
      Array.from({ length: CLIENTS }, (_, i) => `user:${i.toString(16).padStart(36, "0")}`),
    );
    for (const side of SIDES) {
      await untilReady(contenders[side].decide);
      await drive(contenders[side].decide, clients, 64, 1);
    }
    const measured = new Map<string, Measured>();
    for (let round = 0; round < rounds; round++) {
      for (const inFlight of IN_FLIGHT) {
        for (const side of shuffle(SIDES)) {
          const { perSecond, p99Ms } = await drive(contenders[side].decide, clients, inFlight, seconds);
          const of = measured.get(`${side} ${inFlight}`) ?? { perSecond: [], p99Ms: [] };
          of.perSecond.push(perSecond);
          of.p99Ms.push(p99Ms);
          measured.set(`${side} ${inFlight}`, of);
        }
      }
    }
    return toReport((side, inFlight) => measured.get(`${side} ${inFlight}`)!, rounds, seconds);
  } finally {
    for (const side of SIDES) contenders[side].close();
    await redis.stop();
  }
}

function toReport(of: (side: Side, inFlight: number) => Measured, rounds: number, seconds: number): Report {
  const ratio = (inFlight: number, what: keyof Measured) =>
    median(of("kyros", inFlight)[what]) / median(of("peer", inFlight)[what]);
  const text = (numbers: readonly number[], digits: number) => median(numbers).toFixed(digits);
  return {
    name: "redis-limits",
    rows: IN_FLIGHT.flatMap((inFlight) => [
      {
        what: "limits in Redis",
        against: "RateLimiterRedis",
        ratio: ratio(inFlight, "perSecond"),
        goal: GOALS[inFlight]!,
        unit: `decisions/s, ${inFlight} in flight`,
      },
      {
        what: "limits in Redis",
        against: "RateLimiterRedis",
        ratio: ratio(inFlight, "p99Ms"),
        goal: 1,
        unit: `p99, ${inFlight} in flight`,
        bound: "atMost" as const,
      },
    ]),
    measurements: {
      columns: ["measured", "in flight", "decisions/s", "p99"],
      rows: IN_FLIGHT.flatMap((inFlight) =>
        SIDES.map((side) => [
          side === "kyros" ? "limits in Redis" : "RateLimiterRedis of rate-limiter-flexible",
          String(inFlight),
          text(of(side, inFlight).perSecond, 0),
          `${text(of(side, inFlight).p99Ms, 2)} ms`,
        ]),
      ),
      notes: [
        `One redis-server, ${CLIENTS} clients in random order, one ioredis connection each; ${rounds} rounds of ${seconds} s, interleaved. Medians of the rounds.`,
        "The peer counts a fixed window, Kyros exact GCRA; both are atomic.",
      ],
    },
  };
}

if (import.meta.main) {
  const loadBefore = loadavg()[0]!;
  console.log(formatReport(await run(), loadBefore));
}
