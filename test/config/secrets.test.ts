import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { describeSettings } from "../../src/config/describe-settings.ts";
import { loadSettings } from "../../src/config/load.ts";
import { randomToken, systemRandom } from "../../src/kernel/random.ts";
import { faultOf, faultsOf, faulty, freshSecret, production } from "./environments.ts";

const KEY = "q7Zp2mV9xL4tR8wK1nB6yH3sD5fG0jCa";

/** Every text for the same bytes but the canonical one: other unused bits, padding, the other alphabet. */
function respellings(secret: string): readonly string[] {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const bytes = Buffer.from(secret, "base64url");
  const siblings = [...alphabet]
    .map((last) => secret.slice(0, -1) + last)
    .filter((text) => text !== secret && Buffer.from(text, "base64url").equals(bytes));
  return [...siblings, `${secret}=`, `${secret}==`, `${secret.slice(0, 40)}+/${secret.slice(42)}`];
}

describe("KYROS_SECRET", () => {
  test("takes 64 random bytes and more", () => {
    for (const length of [64, 65, 66, 128, 1024]) {
      const secret = randomToken(systemRandom, length);
      assert.equal(loadSettings({ KYROS_SECRET: secret }).secret, secret);
    }
  });

  test("refuses 63 bytes and less", () => {
    for (const length of [1, 16, 32, 48, 63]) {
      assert.deepEqual(faulty({ KYROS_SECRET: randomToken(systemRandom, length) }), ["KYROS_SECRET"]);
    }
  });

  test("refuses every spelling but the canonical one", () => {
    const texts = respellings(freshSecret());
    assert.equal(texts.length, 18);
    for (const text of texts) assert.deepEqual(faulty({ KYROS_SECRET: text }), ["KYROS_SECRET"]);
  });

  test("refuses what is no base64url or was not drawn at random", () => {
    const secret = freshSecret();
    const texts = [
      "",
      "null",
      "undefined",
      "changeme",
      "A".repeat(86),
      Buffer.alloc(64, 255).toString("base64url"),
      Buffer.alloc(64, "0123456789abcde").toString("base64url"),
      `${secret}\n`,
      ` ${secret}`,
      `"${secret}"`,
      `${secret.slice(0, 43)} ${secret.slice(43)}`,
      `${secret}é`,
    ];
    for (const text of texts) assert.deepEqual(faulty({ KYROS_SECRET: text }), ["KYROS_SECRET"]);
  });
});

describe("KYROS_SECRET_PREVIOUS", () => {
  test("takes several", () => {
    const [a, b] = [freshSecret(), freshSecret()];
    const settings = loadSettings({ KYROS_SECRET: freshSecret(), KYROS_SECRET_PREVIOUS: `${a}, ${b}` });
    assert.deepEqual(settings.previousSecrets, [a, b]);
  });

  test("holds each to the rules of a secret, by its place", () => {
    const text = `${freshSecret()},short,,${randomToken(systemRandom, 63)}`;
    const faults = faultsOf({ KYROS_SECRET_PREVIOUS: text });
    assert.deepEqual(
      faults.map(({ variable, fault }) => [variable, /^in entry (\d)/.exec(fault)?.[1]]),
      [2, 3, 4].map((place) => ["KYROS_SECRET_PREVIOUS", String(place)]),
    );
  });

  test("refuses repetitions: of an entry, and of the secret in use", () => {
    const secret = freshSecret();
    const former = freshSecret();
    assert.match(faultsOf({ KYROS_SECRET_PREVIOUS: `${former},${former}` })[0]!.fault, /entry 2 repeats/);
    const faults = faultsOf({ KYROS_SECRET: secret, KYROS_SECRET_PREVIOUS: `${former},${secret}` });
    assert.deepEqual(
      faults.map(({ fault }) => fault),
      ["repeats KYROS_SECRET"],
    );
  });
});

describe("KYROS_API_KEYS", () => {
  test("takes names with keys", () => {
    const other = `kyros_ab12cd34_${randomToken(systemRandom)}_x1Y2z3`;
    assert.deepEqual(loadSettings({ KYROS_API_KEYS: `ci:${KEY},deploy.bot-2:${other}` }).apiKeys, [
      { name: "ci", key: KEY },
      { name: "deploy.bot-2", key: other },
    ]);
  });

  for (const [why, text] of [
    ["no name", KEY],
    ["an empty name", `:${KEY}`],
    ["a name of other characters", `c i:${KEY}`],
    ["a name that is too long", `${"n".repeat(65)}:${KEY}`],
    ["no key", "ci:"],
    ["a key of 31 characters", `ci:${KEY.slice(1)}`],
    ["a key of 513 characters", `ci:${randomToken(systemRandom, 400).slice(0, 513)}`],
    ["a second colon", `ci:${KEY}:${KEY}`],
    ["other characters in the key", `ci:${KEY}!`],
    ["few different characters", `ci:${"abcdefg".repeat(5)}gfedcba`],
    ["a repetition", `ci:${KEY.slice(0, 20).repeat(2)}`],
    ["a repetition that is cut off", `ci:${KEY.slice(0, 12).repeat(4).slice(0, 41)}`],
    ["a placeholder", `ci:Change-Me-${KEY}`],
    ["two of one name", `ci:${KEY},CI:${KEY.toLowerCase()}`],
    ["two of one key", `ci:${KEY},cd:${KEY}`],
    ["an empty entry", `ci:${KEY},`],
  ] as const) {
    test(`refuses ${why}`, () => {
      assert.deepEqual([...new Set(faulty({ KYROS_API_KEYS: text }))], ["KYROS_API_KEYS"]);
    });
  }
});

const CANARY = "CanaryNobodyMaySee7";

describe("a secret", () => {
  const misplaced: readonly (readonly [string, string])[] = [
    ["KYROS_SECRET", CANARY],
    ["KYROS_SECRET", `${CANARY}!`],
    ["KYROS_SECRET_PREVIOUS", `${CANARY},${CANARY}`],
    ["KYROS_API_KEYS", CANARY],
    ["KYROS_API_KEYS", `ci:${CANARY}`],
    ["KYROS_API_KEYS", `${CANARY}${CANARY}:${CANARY}`],
    ["DATABASE_URL", `postgres://kyros:${CANARY}@db\t/kyros`],
    ["DATABASE_URL", `postgres://kyros:${CANARY}#@db/kyros`],
    ["DATABASE_URL", `postgres://kyros:${CANARY}@db:port/kyros`],
    ["DATABASE_URL", `mysql://kyros:${CANARY}@db/kyros`],
    ["REDIS_URL", `redis://${CANARY}@cache`],
    ["REDIS_URL", `redis://:${CANARY}@cache/db`],
    ["REDIS_URL", `redis://:${CANARY}@a,redis://:other@b`],
    ["REDIS_URL", `redis://:${CANARY}@cache,redis://:${CANARY}@`],
    ["KYROS_CORS_ORIGINS", `https://u:${CANARY}@app.example`],
    ["KYROS_PORT", CANARY],
    ["KYROS_ENV", CANARY],
    ["KYROS_LOG_LEVEL", CANARY],
    ["KYROS_RATE_LIMIT", CANARY],
    ["KYROS_TRUST_PROXY", CANARY],
    ["KYROS_ALLOW_INSECURE", CANARY],
    ["KYROS_SECRT", CANARY],
    ["KYROS_SECRET_FILE", `${CANARY}${CANARY}`],
    ["KYROS_SECRET_FILE", `/${CANARY}${CANARY}`],
    ["KYROS_API_KEYS_FILE", `ci:${CANARY}`],
    ["DATABASE_URL_FILE", `postgres://kyros:${CANARY}@db/kyros`],
  ];

  for (const [variable, text] of misplaced) {
    test(`is not repeated by the fault of ${variable}, given ${text.replaceAll(CANARY, "…")}`, () => {
      const fault = faultOf(() => loadSettings({ [variable]: text }));
      assert.doesNotMatch(inspect(fault, { depth: 9 }) + fault.stack + JSON.stringify(fault), /Canary/i);
    });
  }

  test("does not come out with the settings, described or logged whole", () => {
    const secret = freshSecret();
    const former = freshSecret();
    const settings = loadSettings(
      production({ KYROS_SECRET: secret, KYROS_SECRET_PREVIOUS: former, KYROS_API_KEYS: `ci:${KEY}` }),
    );
    for (const text of [
      JSON.stringify(describeSettings(settings)),
      JSON.stringify({ settings }),
      inspect({ settings }, { depth: 9 }),
    ]) {
      for (const hidden of [secret, former, KEY]) assert.ok(!text.includes(hidden), text);
      assert.match(text, /KYROS_SECRET_PREVIOUS/);
    }
  });

  test("is described by whether it is set", () => {
    const secret = freshSecret();
    const names = ["KYROS_SECRET", "KYROS_SECRET_PREVIOUS", "KYROS_API_KEYS"];
    const none = describeSettings(loadSettings({}));
    const all = describeSettings(
      loadSettings({
        KYROS_SECRET: secret,
        KYROS_SECRET_PREVIOUS: `${freshSecret()},${freshSecret()}`,
        KYROS_API_KEYS: `ci:${KEY}`,
      }),
    );
    for (const name of names) assert.deepEqual([none[name], all[name]], ["not set", "set"]);
  });

  test("does not come out with a URL", () => {
    const settings = {
      ...loadSettings({}),
      databaseUrl: `postgres://kyros:${CANARY}@db:5432/kyros?sslmode=require&password=${CANARY}`,
      redisUrls: [`rediss://${CANARY}@a:6379/0`, `redis://:${CANARY}@b`],
    };
    const described = describeSettings(settings);
    assert.equal(described["DATABASE_URL"], "postgres://kyros:***@db:5432/kyros");
    assert.deepEqual(described["REDIS_URL"], ["rediss://:***@a:6379/0", "redis://:***@b"]);
  });
});

describe("KYROS_AUDIT_WEBHOOK_SECRET", () => {
  const hook = "https://siem.example/hook?token=hidden";

  test("is asked for where a webhook is set, and judged like any secret", () => {
    assert.deepEqual(faulty({ KYROS_AUDIT_SINK: hook }), ["KYROS_AUDIT_WEBHOOK_SECRET"]);
    assert.deepEqual(faulty({ KYROS_AUDIT_WEBHOOK_SECRET: "short" }), ["KYROS_AUDIT_WEBHOOK_SECRET"]);
    const settings = loadSettings({ KYROS_AUDIT_SINK: hook, KYROS_AUDIT_WEBHOOK_SECRET: freshSecret() });
    assert.deepEqual(settings.auditSinks, [hook]);
  });

  test("is never shown, nor is what stands in a webhook's URL", () => {
    const secret = freshSecret();
    const settings = loadSettings({ KYROS_AUDIT_SINK: hook, KYROS_AUDIT_WEBHOOK_SECRET: secret });
    const described = describeSettings(settings);
    assert.deepEqual(described["KYROS_AUDIT_SINK"], ["https://siem.example"]);
    assert.equal(described["KYROS_AUDIT_WEBHOOK_SECRET"], "set");
    assert.ok(!inspect(settings).includes(secret) && !inspect(settings).includes("hidden"));
  });
});
