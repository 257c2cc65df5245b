import assert from "node:assert/strict";
import { test } from "node:test";
import { loadSettings } from "../../src/config/load.ts";
import { freshSecret } from "./environments.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const DEVELOPMENT = {
  environment: "development",
  host: "127.0.0.1",
  port: 8000,
  dataDir: ".kyros",
  databaseUrl: "sqlite:.kyros/kyros.db",
  redisUrls: [],
  redisDeadlineMs: 50,
  secret: undefined,
  previousSecrets: [],
  tokenAlgorithm: "HS512",
  tokenIssuer: "kyros",
  tokenAudience: "kyros",
  accessTokenTtlMs: 2 * HOUR_MS,
  refreshTokenTtlMs: 7 * DAY_MS,
  sessionIdleTtlMs: DAY_MS,
  sessionMaxTtlMs: 30 * DAY_MS,
  bcryptCost: 12,
  rateLimit: { limit: 100, windowMs: HOUR_MS / 4 },
  loginRateLimit: { limit: 10, windowMs: 60_000 },
  csrf: true,
  forceHttps: false,
  trustedProxies: [],
  corsOrigins: [],
  gateRules: [],
  loginUrl: undefined,
  passkeyOrigins: ["http://localhost:8000"],
  cspReportOnly: false,
  apiKeys: [],
  registration: false,
  metricsPort: undefined,
  drainGraceMs: 0,
  logLevel: "info",
  auditRetentionMs: undefined,
  auditSinks: [],
  auditWebhookSecret: undefined,
  allowInsecure: [],
};

test("an empty environment is a development one with every default", () => {
  assert.deepEqual({ ...loadSettings({}) }, DEVELOPMENT);
});

for (const environment of ["production", "staging"]) {
  test(`${environment} limits by the hour and forces HTTPS`, () => {
    const secret = freshSecret();
    assert.deepEqual(
      { ...loadSettings({ KYROS_ENV: environment, KYROS_SECRET: secret }) },
      {
        ...DEVELOPMENT,
        environment,
        secret,
        rateLimit: { limit: 1000, windowMs: HOUR_MS },
        forceHttps: true,
        passkeyOrigins: [],
        drainGraceMs: 3000,
      },
    );
  });
}

test("the default database lives in the data directory, however that is written", () => {
  assert.equal(loadSettings({ KYROS_DATA_DIR: "/srv/kyros" }).databaseUrl, "sqlite:/srv/kyros/kyros.db");
  assert.equal(loadSettings({ KYROS_DATA_DIR: "data//" }).databaseUrl, "sqlite:data/kyros.db");
  const given = loadSettings({ KYROS_DATA_DIR: "data", DATABASE_URL: "sqlite:other.db" });
  assert.equal(given.databaseUrl, "sqlite:other.db");
});

test("settings cannot be changed after the start, at any depth", () => {
  const settings = loadSettings({
    KYROS_TRUST_PROXY: "10.0.0.0/8",
    KYROS_API_KEYS: "ci:q7Zp2mV9xL4tR8wK1nB6yH3sD5fG0jCa",
  });
  const mutable = settings as unknown as {
    csrf: boolean;
    rateLimit: { limit: number };
    trustedProxies: string[];
    corsOrigins: string[];
    apiKeys: { key: string }[];
  };
  const changes: readonly (() => unknown)[] = [
    () => (mutable.csrf = false),
    () => (mutable.rateLimit.limit = 1),
    () => mutable.trustedProxies.push("0.0.0.0/0"),
    () => mutable.corsOrigins.push("https://evil.example"),
    () => (mutable.apiKeys[0]!.key = "known"),
  ];
  for (const change of changes) assert.throws(change, TypeError);
});
