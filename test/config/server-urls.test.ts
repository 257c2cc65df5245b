import assert from "node:assert/strict";
import { test } from "node:test";
import type { Kind } from "../../src/config/kind.ts";
import { databaseUrl, redisUrls } from "../../src/config/url-kinds.ts";

/** The kinds themselves, whether or not this version serves what they read. */
const URLS: readonly (readonly [kind: Kind<unknown>, text: string, shown: string | readonly string[]])[] = [
  [databaseUrl, "postgres://db/kyros", "postgres://db/kyros"],
  [
    databaseUrl,
    "postgresql://kyros:p%23w%40@db:5432/kyros?sslmode=require",
    "postgresql://kyros:***@db:5432/kyros",
  ],
  [databaseUrl, "postgres://kyros@[2001:db8::1]/kyros", "postgres://:***@[2001:db8::1]/kyros"],
  [redisUrls, "redis://cache", ["redis://cache"]],
  [
    redisUrls,
    "rediss://u:pw@a:6379/0, rediss://u:pw@b:6379",
    ["rediss://u:***@a:6379/0", "rediss://u:***@b:6379"],
  ],
];

for (const [kind, text, shown] of URLS) {
  test(`${text} is read as it stands and shown as ${shown}`, () => {
    const reading = kind.read(text);
    assert.ok("value" in reading);
    const value: unknown = reading.value;
    assert.deepEqual(value, Array.isArray(shown) ? text.split(", ") : text);
    assert.deepEqual(kind.show(reading.value), shown);
  });
}

test("a password that is not percent-encoded is refused, as a part of it would be shown", () => {
  for (const text of [
    "postgres://kyros:ab#cd@db/kyros",
    "postgres://kyros:12/cd@db/kyros",
    "postgres://kyros:12?cd@db/kyros",
    "postgres://12/cd@db/kyros",
    "postgres://db/kyros#",
  ]) {
    const reading = databaseUrl.read(text);
    assert.ok("faults" in reading, text);
    assert.match(reading.faults[0]!, /percent-encoded/);
  }
  for (const text of ["redis://:12/cd@cache", "redis://cache,redis://:12#cd@cache"]) {
    assert.ok("faults" in redisUrls.read(text), text);
  }
});

for (const [text, why] of [
  ["redis://token@cache", /without a password/],
  ["redis://:p%zz@cache", /percent-encoded/],
  ["redis://cache/kyros", /database's number/],
  ["redis://cache/0/1", /database's number/],
  ["redis://cache?enableOfflineQueue=true", /parameters/],
  ["redis://a,rediss://b", /different schemes/],
  ["redis://:p@a,redis://:q@b", /different schemes or credentials/],
  ["redis://a/1,redis://b/1", /cluster has only one/],
] as const) {
  test(`${text} is refused, as it would not do what it says`, () => {
    const reading = redisUrls.read(text);
    assert.ok("faults" in reading);
    assert.equal(reading.faults.length, 1);
    assert.match(reading.faults[0]!, why);
  });
}
