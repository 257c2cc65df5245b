import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CHECKS } from "../../src/config/checks.ts";
import { judgeSettings } from "../../src/config/judge-settings.ts";
import { loadSettings, readSettings } from "../../src/config/load.ts";
import { SETTINGS } from "../../src/config/schema.ts";
import { INSECURE_CHOICES } from "../../src/config/settings.ts";
import type { Variables } from "./environments.ts";
import { faultsOf, freshSecret, production } from "./environments.ts";

/** Weak settings by check: each variable with texts that are weak, and texts just on the right side. */
const WEAK: Readonly<
  Record<string, readonly [variable: string, weak: readonly string[], strong: readonly string[]]>
> = {
  "csrf-off": ["KYROS_CSRF", ["off"], ["on"]],
  "force-https-off": ["KYROS_FORCE_HTTPS", ["off"], ["on"]],
  "rate-limit-off": ["KYROS_RATE_LIMIT", ["off", "1000001/1h", "1000000000/1s"], ["100000/1h", "1/1s"]],
  "login-rate-limit-off": ["KYROS_LOGIN_RATE_LIMIT", ["off", "10001/1d", "10000/1m"], ["50/1m", "5000/1m"]],
  "bcrypt-cost-low": ["KYROS_BCRYPT_COST", ["10", "11"], ["12", "15"]],
  "csp-report-only": ["KYROS_CSP_REPORT_ONLY", ["on"], ["off"]],
  "trust-proxy-everyone": [
    "KYROS_TRUST_PROXY",
    [
      "0.0.0.0/0",
      "::/0",
      "10.0.0.0/8,::/0",
      "0.0.0.0/1,128.0.0.0/1",
      "::ffff:0:0/96",
      "::ffff:0.0.0.0/96",
      "2000::/3",
      "0::/0",
    ],
    ["10.0.0.0/8", "fc00::/7", "fe80::/10", "::ffff:10.0.0.0/104", "192.0.2.1", "::1"],
  ],
  "cors-http-origin": [
    "KYROS_CORS_ORIGINS",
    ["http://app.example", "https://a.example,http://localhost:3000"],
    ["https://app.example"],
  ],
  "token-ttl-long": ["KYROS_ACCESS_TOKEN_TTL", ["25h", "86401s", "366d"], ["24h", "1d", "5m"]],
  "database-in-memory": ["DATABASE_URL", ["sqlite::memory:"], ["sqlite:kyros.db"]],
  "database-tls-off": [
    "DATABASE_URL",
    [
      "postgres://u:p@db/kyros",
      "postgres://u:p@10.0.0.7/kyros?sslmode=disable",
      "postgresql://u:p@db/kyros?sslmode=require",
      "postgres://u:p@localhost.example/kyros?sslrootcert=/ca.pem",
    ],
    [
      "postgres://u:p@db/kyros?sslmode=verify-full",
      "postgres://u:p@db/kyros?sslmode=verify-ca&sslrootcert=/ca.pem",
      "postgres://u:p@db/kyros?sslmode=require&sslrootcert=/ca.pem",
      "postgres://u:p@localhost/kyros",
      "postgres://u:p@127.0.0.1:6432/kyros",
      "postgresql://u:p@[::1]/kyros",
    ],
  ],
};

test("every choice that can be marked has its check and its cases", () => {
  assert.deepEqual(Object.keys(WEAK).sort(), [...INSECURE_CHOICES].sort());
  for (const choice of INSECURE_CHOICES)
    assert.ok(
      CHECKS.some(({ id }) => id === choice),
      choice,
    );
});

test("checks are numbered from 1, named once, and about a variable that there is", () => {
  assert.deepEqual(
    CHECKS.map(({ number }) => number),
    CHECKS.map((_, index) => index + 1),
  );
  assert.equal(new Set(CHECKS.map(({ id }) => id)).size, CHECKS.length);
  const variables = SETTINGS.map(([, { variable }]) => variable);
  for (const { variable } of CHECKS) assert.ok(variables.includes(variable), variable);
});

for (const environment of ["production", "staging"]) {
  describe(environment, () => {
    const start = (more: Variables) => production({ KYROS_ENV: environment, ...more });

    for (const [id, [variable, weak, strong]] of Object.entries(WEAK)) {
      for (const text of weak) {
        test(`refuses ${variable}=${text} unless ${id} is marked as wanted`, () => {
          const [fault, ...others] = faultsOf(start({ [variable]: text }));
          assert.equal(others.length, 0);
          assert.equal(fault?.variable, variable);
          assert.match(
            fault?.allowed ?? "",
            new RegExp(`; or, where it is wanted, ${id} in KYROS_ALLOW_INSECURE$`),
          );
          for (const mark of [id, INSECURE_CHOICES.join(",")]) {
            assert.doesNotThrow(() => loadSettings(start({ [variable]: text, KYROS_ALLOW_INSECURE: mark })));
          }
          const wrongMarks = INSECURE_CHOICES.filter((choice) => choice !== id).join(",");
          assert.equal(faultsOf(start({ [variable]: text, KYROS_ALLOW_INSECURE: wrongMarks })).length, 1);
        });
      }
      for (const text of strong) {
        test(`starts with ${variable}=${text}`, () => {
          assert.doesNotThrow(() => loadSettings(start({ [variable]: text })));
        });
      }
    }

    test("R26: refuses to start without a secret, whatever is marked", () => {
      for (const mark of [undefined, INSECURE_CHOICES.join(",")]) {
        const faults = faultsOf({ KYROS_ENV: environment, KYROS_ALLOW_INSECURE: mark });
        assert.deepEqual(
          faults.map(({ variable, fault }) => [variable, fault]),
          [["KYROS_SECRET", "is not set"]],
        );
        assert.doesNotMatch(faults[0]!.allowed, /KYROS_ALLOW_INSECURE/);
      }
    });

    test("names a missing secret and weak settings together with wrong ones", () => {
      const faults = faultsOf({
        KYROS_ENV: environment,
        KYROS_PORT: "x",
        KYROS_CSRF: "off",
        KYROS_RATE_LIMIT: "x",
      });
      assert.deepEqual(faults.map(({ variable }) => variable).sort(), [
        "KYROS_CSRF",
        "KYROS_PORT",
        "KYROS_RATE_LIMIT",
        "KYROS_SECRET",
      ]);
    });
  });
}

test("development starts with every weak setting", () => {
  for (const [variable, weak] of Object.values(WEAK)) {
    for (const text of weak) assert.doesNotThrow(() => loadSettings({ [variable]: text }));
  }
});

function verdicts(variables: Variables): Readonly<Record<string, string>> {
  const findings = judgeSettings(readSettings(variables)).filter(({ verdict }) => verdict !== "ok");
  for (const { finding, remedy } of findings) assert.ok(finding !== "" && remedy !== "");
  return Object.fromEntries(findings.map(({ id, verdict }) => [id, verdict]));
}

test("every check answers, in order, and the defaults of development have no weakness", () => {
  const findings = judgeSettings(readSettings({}));
  assert.deepEqual(
    findings.map(({ number }) => number),
    CHECKS.map(({ number }) => number),
  );
  assert.deepEqual(verdicts({}), {});
});

test("a weak configuration can be read for judging it, with what is accepted told apart", () => {
  const variables = {
    KYROS_ENV: "production",
    KYROS_CSRF: "off",
    KYROS_BCRYPT_COST: "10",
    KYROS_TRUST_PROXY: "10.0.0.1",
  };
  assert.deepEqual(verdicts(variables), {
    "secret-missing": "error",
    "csrf-off": "error",
    "bcrypt-cost-low": "error",
  });
  assert.deepEqual(verdicts({ ...variables, KYROS_ALLOW_INSECURE: "csrf-off" }), {
    "secret-missing": "error",
    "csrf-off": "accepted",
    "bcrypt-cost-low": "error",
  });
});

const WARNINGS: readonly (readonly [id: string, variables: Variables, unlike: Variables])[] = [
  ["login-rate-limit-off", { KYROS_LOGIN_RATE_LIMIT: "51/1m" }, { KYROS_LOGIN_RATE_LIMIT: "50/1m" }],
  ["session-ttl-long", { KYROS_SESSION_MAX_TTL: "31d" }, { KYROS_SESSION_MAX_TTL: "30d" }],
  ["secret-previous-set", { KYROS_SECRET_PREVIOUS: freshSecret() }, {}],
  ["api-keys-static", { KYROS_API_KEYS: "ci:q7Zp2mV9xL4tR8wK1nB6yH3sD5fG0jCa" }, {}],
  ["registration-on", { KYROS_REGISTRATION: "on" }, { KYROS_REGISTRATION: "off" }],
  ["proxy-missing", { KYROS_FORCE_HTTPS: "on" }, { KYROS_FORCE_HTTPS: "on", KYROS_TRUST_PROXY: "10.0.0.1" }],
  [
    "gate-proxy-missing",
    { KYROS_GATE_RULES: "/assets public" },
    { KYROS_GATE_RULES: "/assets public", KYROS_TRUST_PROXY: "10.0.0.1" },
  ],
  ["log-level", { KYROS_LOG_LEVEL: "error" }, { KYROS_LOG_LEVEL: "debug" }],
];

for (const [id, variables, unlike] of WARNINGS) {
  test(`${id} warns, and production starts all the same`, () => {
    assert.deepEqual(verdicts(variables), { [id]: "warning" });
    assert.deepEqual(verdicts(unlike), {});
    assert.doesNotThrow(() => loadSettings(production(variables)));
  });
}

test("a warning can be marked as wanted where its error can", () => {
  const variables = { KYROS_LOGIN_RATE_LIMIT: "51/1m", KYROS_ALLOW_INSECURE: "login-rate-limit-off" };
  assert.deepEqual(verdicts(variables), { "login-rate-limit-off": "accepted" });
});

test("a verbose log is a warning outside development", () => {
  assert.equal(verdicts(production({ KYROS_LOG_LEVEL: "debug" }))["log-level"], "warning");
});

test("development that others can reach is a warning, and so is its plain HTTP", () => {
  for (const host of ["0.0.0.0", "::", "192.0.2.1", "kyros.internal", "localhost.example"]) {
    assert.deepEqual(verdicts({ KYROS_HOST: host }), {
      "force-https-off": "warning",
      "development-exposed": "warning",
    });
  }
  for (const host of [
    "127.0.0.1",
    "127.9.9.9",
    "::1",
    "0:0::1",
    "::ffff:127.0.0.1",
    "localhost",
    "kyros.localhost",
  ]) {
    assert.deepEqual(verdicts({ KYROS_HOST: host }), {});
  }
});
