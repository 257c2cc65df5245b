import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { type Child, startChild } from "./child.ts";
import type { Report, RunOptions } from "./report.ts";
import { createUser, settings, startService, withDataDir } from "./service.ts";
import { median, percentile } from "./statistics.ts";

const LOGINS = 64;
const RATE_PER_SECOND = 200;
const WARMUP_MS = 2000;
/** For the connections of a storm to close before the next idle time is measured. */
const REST_MS = 1000;
const LOGIN_DEADLINE_MS = 120_000;
const PROBE_DEADLINE_MS = 15_000;
const PROBE_CORE = 1;
const USER = { username: "storm-rider", password: "correct-horse-battery-staple-9" };

interface Phase {
  readonly beganMs: number;
  readonly endedMs: number;
}

interface Round {
  readonly idle: Phase;
  readonly storm: Phase;
  /** While another process checked as many passwords, and nobody signed in. */
  readonly hashing: Phase;
  /** How many logins were answered with each status. */
  readonly statuses: ReadonlyMap<number, number>;
}

const nowMs = (): number => performance.timeOrigin + performance.now();

async function during<T>(work: () => Promise<T>): Promise<[Phase, T]> {
  const beganMs = nowMs();
  const result = await work();
  return [{ beganMs, endedMs: nowMs() }, result];
}

async function login(origin: string): Promise<{ status: number; token: string | undefined }> {
  const response = await fetch(new URL("/auth/login", origin), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(USER),
    signal: AbortSignal.timeout(LOGIN_DEADLINE_MS),
  });
  const body = (await response.json()) as { access_token?: string };
  return { status: response.status, token: body.access_token };
}

/** All logins at once; past the bounded queue a 503 is what the service promises, and anything else is a fault. */
async function storm(origin: string): Promise<Map<number, number>> {
  const answers = await Promise.all(Array.from({ length: LOGINS }, () => login(origin)));
  const statuses = new Map<number, number>();
  for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  const odd = [...statuses.keys()].find((status) => status !== 200 && status !== 503);
  if (odd !== undefined) throw new Error(`a login of the storm was answered with ${odd}`);
  return statuses;
}

async function checkPasswords(hasher: Child): Promise<void> {
  hasher.input.write(`${LOGINS}\n`);
  await once(hasher.lines, "line", { signal: AbortSignal.timeout(LOGIN_DEADLINE_MS) });
}

async function measureRounds(
  origin: string,
  hasher: Child,
  rounds: number,
  seconds: number,
): Promise<Round[]> {
  await delay(WARMUP_MS);
  await storm(origin);
  const measured: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    await delay(REST_MS);
    const [idle] = await during(() => delay(seconds * 1000));
    const [stormy, statuses] = await during(() => storm(origin));
    await delay(REST_MS);
    const [hashing] = await during(() => checkPasswords(hasher));
    measured.push({ idle, storm: stormy, hashing, statuses });
  }
  return measured;
}

async function finish(probe: Child): Promise<[sentMs: number, tookMs: number][]> {
  probe.input.end();
  const [line] = await once(probe.lines, "line", { signal: AbortSignal.timeout(PROBE_DEADLINE_MS) });
  return JSON.parse(line);
}

async function measure(dataDir: string, rounds: number, seconds: number) {
  const env = settings(dataDir);
  await createUser(env, USER.username, USER.password);
  // Not pinned: how the service shares the machine between logins and everybody else is what is measured.
  const service = await startService(env);
  try {
    const origin = service.match[1]!;
    const { token } = await login(origin);
    const hasher = await startChild({
      args: [new URL("./hasher.ts", import.meta.url).pathname],
      ready: /^ready$/,
      deadlineMs: PROBE_DEADLINE_MS,
    });
    const probe = await startChild({
      args: [
        new URL("./probe.ts", import.meta.url).pathname,
        `--url=${origin}/protected`,
        `--token=${token}`,
        `--rate=${RATE_PER_SECOND}`,
      ],
      core: PROBE_CORE,
      ready: /^ready$/,
      deadlineMs: PROBE_DEADLINE_MS,
    });
    try {
      return {
        measured: await measureRounds(origin, hasher, rounds, seconds),
        requests: await finish(probe),
      };
    } finally {
      await probe.stop();
      await hasher.stop();
    }
  } finally {
    await service.stop();
  }
}

/**
 * Measures what 64 logins at once do to everybody else: p99 of `GET /protected` at a fixed rate, against idle, and
 * against what a core that hashes does to them whoever it hashes for.
 */
export async function run({ rounds = 3, seconds = 5 }: RunOptions = {}): Promise<Report> {
  const { measured, requests } = await withDataDir((dataDir) => measure(dataDir, rounds, seconds));
  const latencies = ({ beganMs, endedMs }: Phase): number[] =>
    requests.filter(([sentMs]) => sentMs >= beganMs && sentMs < endedMs).map(([, tookMs]) => tookMs);
  const p99 = (phase: Phase) => percentile(latencies(phase), 0.99);
  const p99Of = (pick: (round: Round) => Phase) => median(measured.map((round) => p99(pick(round))));
  const idleMs = p99Of((round) => round.idle);
  const stormMs = p99Of((round) => round.storm);
  const hashingMs = p99Of((round) => round.hashing);
  const common = { bound: "atMost", unit: "p99 latency" } as const;
  const row = (name: string, phase: Phase, logins: string): string[] => [
    name,
    logins,
    String(latencies(phase).length),
    ((phase.endedMs - phase.beganMs) / 1000).toFixed(1),
    percentile(latencies(phase), 0.5).toFixed(2),
    p99(phase).toFixed(2),
    Math.max(...latencies(phase)).toFixed(2),
  ];
  return {
    name: "login-storm",
    rows: [
      {
        what: `GET /protected during ${LOGINS} logins`,
        against: "idle",
        ratio: stormMs / idleMs,
        goal: 1.5,
        ...common,
      },
      { what: "the same", against: "hashing alone", ratio: stormMs / hashingMs, goal: null, ...common },
      { what: "hashing alone", against: "idle", ratio: hashingMs / idleMs, goal: null, ...common },
    ],
    measurements: {
      columns: ["phase", "logins by status", "requests", "seconds", "p50 ms", "p99 ms", "highest ms"],
      rows: measured.flatMap(({ idle, storm, hashing, statuses }) => [
        row("idle", idle, ""),
        row("storm", storm, [...statuses].map(([status, times]) => `${times} × ${status}`).join(", ")),
        row("hashing alone", hashing, ""),
      ]),
      notes: [
        `The ratio is of the medians of ${rounds} rounds, after one storm that is not counted.`,
        `An open-loop client on core ${PROBE_CORE} sends ${RATE_PER_SECOND} requests/s throughout; ` +
          `the service is not pinned.`,
        `Hashing alone: another process checks ${LOGINS} passwords, one after the other, and nobody signs in.`,
      ],
    },
  };
}
