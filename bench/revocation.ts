import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { startPostgres } from "../test/stores/postgres-server.ts";
import { startRedis } from "../test/stores/redis-server.ts";
import type { Child } from "./child.ts";
import type { Report, RunOptions } from "./report.ts";
import { createUser, settings, startService, withDataDir } from "./service.ts";
import { median, percentile } from "./statistics.ts";

const REVOCATIONS = 1000;
const SESSIONS_AT_ONCE = 4;
const POLL_MS = 2;
const LOAD_PER_INSTANCE = 100;
const DEADLINE_MS = 10_000;
const USER = { username: "revoked-rider", password: "correct-horse-battery-staple-9" };

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function ask(url: string, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url + path, { ...init, signal: AbortSignal.timeout(DEADLINE_MS) });
}

async function login(url: string): Promise<string> {
  const answer = await ask(url, "/auth/login", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(USER),
  });
  if (answer.status !== 200) throw new Error(`a login was answered with ${answer.status}`);
  return ((await answer.json()) as { access_token: string }).access_token;
}

async function isRefused(url: string, token: string): Promise<boolean> {
  const answer = await ask(url, "/protected", { headers: bearer(token) });
  await answer.body?.cancel();
  return answer.status === 401;
}

/** Milliseconds from the acknowledgement of a revocation to the first refusal by another instance. */
async function seenAfterMs(url: string, token: string, acknowledged: Promise<void>): Promise<number> {
  await acknowledged;
  const beganMs = performance.now();
  while (!(await isRefused(url, token))) {
    if (performance.now() - beganMs > DEADLINE_MS) throw new Error("a revocation was not seen in time");
    await delay(POLL_MS);
  }
  return performance.now() - beganMs;
}

/** Ends one session at the first instance, and times the others, whose caches know its token. */
async function revokeOnce([first, ...others]: readonly string[]): Promise<number[]> {
  const token = await login(first!);
  for (const url of others) {
    if (await isRefused(url, token)) throw new Error("a fresh token was refused");
  }
  const acknowledged = ask(first!, "/auth/logout", { method: "POST", headers: bearer(token) }).then(
    ({ status }) => {
      if (status !== 204) throw new Error(`a logout was answered with ${status}`);
    },
  );
  return Promise.all(others.map((url) => seenAfterMs(url, token, acknowledged)));
}

/** A steady stream of requests to every instance, until the returned function is called. */
async function startLoad(urls: readonly string[]): Promise<() => void> {
  const token = await login(urls[0]!);
  const timer = setInterval(() => {
    for (const url of urls) isRefused(url, token).catch(() => undefined);
  }, 1000 / LOAD_PER_INSTANCE);
  return () => clearInterval(timer);
}

async function measure(env: Record<string, string>, count: number): Promise<number[]> {
  const services: Child[] = [];
  try {
    await createUser(env, USER.username, USER.password);
    for (let i = 0; i < 3; i++) services.push(await startService(env));
    const urls = services.map((service) => service.match[1]!);
    const stopLoad = await startLoad(urls);
    const seenMs: number[] = [];
    let begun = 0;
    const work = async (): Promise<void> => {
      while (begun++ < count) seenMs.push(...(await revokeOnce(urls)));
    };
    await Promise.all(Array.from({ length: SESSIONS_AT_ONCE }, work));
    stopLoad();
    return seenMs;
  } finally {
    await Promise.all(services.map((service) => service.stop()));
  }
}

/** Measures how soon a session that one instance has ended is refused by two others over PostgreSQL and Redis. */
export async function run({ rounds = 1 }: RunOptions = {}): Promise<Report> {
  const count = REVOCATIONS * rounds;
  const [postgres, redis] = await Promise.all([startPostgres(["fsync = on"]), startRedis()]);
  try {
    const seenMs = await withDataDir((dataDir) =>
      measure(
        {
          ...settings(dataDir),
          DATABASE_URL: postgres.url,
          REDIS_URL: redis.url,
          KYROS_SECRET: randomBytes(64).toString("base64url"),
          KYROS_BCRYPT_COST: "10",
        },
        count,
      ),
    );
    const bound = (what: string, ms: number, goalMs: number) =>
      ({
        what,
        against: `${goalMs} ms`,
        ratio: ms / goalMs,
        goal: 1,
        bound: "atMost",
        unit: "time",
      }) as const;
    return {
      name: "revocation",
      rows: [
        bound("revocation seen by other instances, p99", percentile(seenMs, 0.99), 100),
        bound("revocation seen by other instances, highest", Math.max(...seenMs), 1000),
      ],
      measurements: {
        columns: ["revocations", "p50 ms", "p99 ms", "highest ms"],
        rows: [
          [
            String(count),
            median(seenMs).toFixed(1),
            percentile(seenMs, 0.99).toFixed(1),
            Math.max(...seenMs).toFixed(1),
          ],
        ],
        notes: [
          "Three instances over one PostgreSQL and one Redis on this machine; a logout at the first, polls at the others.",
          "A time starts when the logout is answered and ends with the first refusal, and so holds one request's own time.",
          `Meanwhile ${LOAD_PER_INSTANCE} requests/s at each instance, and ${SESSIONS_AT_ONCE} logins and logouts at a time.`,
        ],
      },
    };
  } finally {
    await Promise.all([redis.stop(), postgres.stop()]);
  }
}
