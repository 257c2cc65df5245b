import type { Settings } from "../../src/config/settings.ts";
import { GATE_CASES } from "./gate-cases.ts";
import { PASSKEY_CASES } from "./passkey-cases.ts";
import { RECORD_CASES } from "./record-cases.ts";
import { DURATION, ON_OFF } from "./repeated-cases.ts";

/** Texts that a variable takes, with what they mean, and texts that it refuses. */
export interface VariableCase {
  readonly name: keyof Settings;
  readonly variable: string;
  readonly accepted: readonly (readonly [text: string, value: unknown])[];
  readonly refused: readonly string[];
}

export const VARIABLE_CASES: readonly VariableCase[] = [
  {
    name: "environment",
    variable: "KYROS_ENV",
    accepted: [["development", "development"]],
    refused: ["prod", "Production", "test", "dev", "development,production"],
  },
  {
    name: "host",
    variable: "KYROS_HOST",
    accepted: ["0.0.0.0", "::", "::1", "localhost", "kyros.internal", "node-1"].map((host) => [host, host]),
    refused: [
      "[::1]",
      "127.0.0.1:8000",
      "http://localhost",
      "127.1",
      "0x7f000001",
      "2130706433",
      "256.1.1.1",
      "a..b",
      "-a",
      "a_b",
      "*",
    ],
  },
  {
    name: "port",
    variable: "KYROS_PORT",
    accepted: [
      ["0", 0],
      ["1", 1],
      ["65535", 65_535],
    ],
    refused: [
      "65536",
      "-1",
      "08000",
      "8e3",
      "0x50",
      "80.0",
      "+80",
      "eighty",
      "99999999999999999999",
      "tcp://10.0.0.1:8000",
    ],
  },
  {
    name: "dataDir",
    variable: "KYROS_DATA_DIR",
    accepted: ["data", "./data", "/var/lib/kyros", "..", "C:\\kyros"].map((path) => [path, path]),
    refused: ["/", "//", "~/kyros", "//server/share", "da?ta"],
  },
  {
    name: "databaseUrl",
    variable: "DATABASE_URL",
    accepted: [
      "sqlite:kyros.db",
      "sqlite:/var/lib/kyros.db",
      "sqlite::memory:",
      "postgres://kyros:p%23w@db.internal:5432/kyros?sslmode=verify-full",
      "postgresql://kyros@[2001:db8::1]/kyros",
    ].map((url) => [url, url]),
    refused: [
      "kyros.db",
      "sqlite:",
      "sqlite://kyros.db",
      "sqlite:///kyros.db",
      "sqlite:~/kyros.db",
      "sqlite:a.db?mode=ro",
      "SQLITE:a.db",
      "mysql://u@h/d",
      "file:kyros.db",
      "postgres:db",
      "postgres://",
      "postgres://u:p#w@h/d",
      "postgres://u:1/2@h/d",
      "postgres://u:1?2@h/d",
    ],
  },
  {
    name: "redisUrls",
    variable: "REDIS_URL",
    accepted: [
      ["redis://cache.internal", ["redis://cache.internal"]],
      ["redis://u:p%40w@[2001:db8::1]:6380/15", ["redis://u:p%40w@[2001:db8::1]:6380/15"]],
      ["rediss://:p@a, rediss://:p@b:7000/0", ["rediss://:p@a", "rediss://:p@b:7000/0"]],
    ],
    refused: [
      "localhost:6379",
      "http://localhost",
      "redis:localhost",
      "redis://",
      "redis://a,",
      "redis://a,redis://a",
      "redis://a,http://b",
    ],
  },
  {
    name: "redisDeadlineMs",
    variable: "KYROS_REDIS_DEADLINE_MS",
    accepted: [
      ["5", 5],
      ["1000", 1000],
    ],
    refused: ["4", "1001", "0", "50ms", "1s"],
  },
  {
    name: "tokenAlgorithm",
    variable: "KYROS_TOKEN_ALGORITHM",
    accepted: ["HS512", "EdDSA", "ES256"].map((name) => [name, name]),
    refused: ["none", "HS256", "hs512", "RS256", "EDDSA", "HS512,ES256"],
  },
  ...(["tokenIssuer", "tokenAudience"] as const).map((name) => ({
    name,
    variable: name === "tokenIssuer" ? "KYROS_TOKEN_ISSUER" : "KYROS_TOKEN_AUDIENCE",
    accepted: ["a", "https://id.example.com/", "urn:kyros", "x".repeat(255)].map(
      (text) => [text, text] as const,
    ),
    refused: ["two words", "x".repeat(256), "kürös"],
  })),
  { name: "accessTokenTtlMs", variable: "KYROS_ACCESS_TOKEN_TTL", ...DURATION },
  { name: "refreshTokenTtlMs", variable: "KYROS_REFRESH_TOKEN_TTL", ...DURATION },
  { name: "sessionIdleTtlMs", variable: "KYROS_SESSION_IDLE_TTL", ...DURATION },
  { name: "sessionMaxTtlMs", variable: "KYROS_SESSION_MAX_TTL", ...DURATION },
  {
    name: "bcryptCost",
    variable: "KYROS_BCRYPT_COST",
    accepted: [
      ["10", 10],
      ["15", 15],
    ],
    refused: ["9", "16", "012", "12.5", "twelve"],
  },
  ...(["rateLimit", "loginRateLimit"] as const).map((name) => ({
    name,
    variable: name === "rateLimit" ? "KYROS_RATE_LIMIT" : "KYROS_LOGIN_RATE_LIMIT",
    accepted: [
      ["1/1s", { limit: 1, windowMs: 1000 }],
      ["100/15m", { limit: 100, windowMs: 900_000 }],
      ["off", "off"],
    ] as const,
    refused: [
      "100",
      "0/1m",
      "-1/1m",
      "100/0m",
      "100/15",
      "100/15m/2",
      "1e3/1h",
      "100 / 15m",
      "Off",
      "none",
      "unlimited",
    ],
  })),
  { name: "csrf", variable: "KYROS_CSRF", ...ON_OFF },
  { name: "forceHttps", variable: "KYROS_FORCE_HTTPS", ...ON_OFF },
  { name: "cspReportOnly", variable: "KYROS_CSP_REPORT_ONLY", ...ON_OFF },
  { name: "registration", variable: "KYROS_REGISTRATION", ...ON_OFF },
  {
    name: "trustedProxies",
    variable: "KYROS_TRUST_PROXY",
    accepted: [
      ["10.0.0.0/8", ["10.0.0.0/8"]],
      ["10.0.0.1, 2001:db8::/32", ["10.0.0.1", "2001:db8::/32"]],
    ],
    refused: [
      "true",
      "1",
      "*",
      "loopback",
      "10.0.0.0/33",
      "10.0.0.1/8",
      "10.0.0.0/8,",
      ",",
      "10.0/16",
      "010.0.0.0/8",
      "10.0.0.0/8;::1",
    ],
  },
  {
    name: "corsOrigins",
    variable: "KYROS_CORS_ORIGINS",
    accepted: [
      ["https://app.example.com", ["https://app.example.com"]],
      ["http://localhost:3000 , https://b.example", ["http://localhost:3000", "https://b.example"]],
    ],
    refused: [
      "*",
      "null",
      "https://*.example.com",
      "https://app.example.com/",
      "https://app.example.com/x",
      "HTTPS://app.example.com",
      "https://App.example.com",
      "https://app.example.com:443",
      "https://u:p@app.example.com",
      "app.example.com",
      "file:///x",
      "https://a.example,*",
      "https://a.example,https://a.example",
    ],
  },
  { name: "metricsPort", variable: "KYROS_METRICS_PORT", accepted: [["9464", 9464]], refused: ["65536"] },
  {
    name: "drainGraceMs",
    variable: "KYROS_DRAIN_GRACE",
    accepted: [
      ["off", 0],
      ["1s", 1000],
      ["10m", 600_000],
    ],
    refused: ["0", "0s", "3", "11m", "1h", "1.5s", "-1s", "Off", "none"],
  },
  ...GATE_CASES,
  ...RECORD_CASES,
  ...PASSKEY_CASES,
  {
    name: "allowInsecure",
    variable: "KYROS_ALLOW_INSECURE",
    accepted: [["csrf-off, rate-limit-off", ["csrf-off", "rate-limit-off"]]],
    refused: ["all", "*", "csrf", "csrf-off,", "secret-missing", "registration-on"],
  },
];
