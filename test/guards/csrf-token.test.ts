import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createCsrfTokens } from "../../src/crypto/csrf-token.ts";
import { systemRandom } from "../../src/kernel/random.ts";
import { headerBytes } from "./http-request.ts";

const NOW_MS = 1_800_000_000_000;
const HOUR_MS = 3_600_000;
const SESSION = "0190b5c0-0000-7000-8000-000000000001";
const OTHER_SESSION = "0190b5c0-0000-7000-8000-000000000002";

/** A keyring of constant keys; the label goes into them, so that a wrong one shows. */
const keyring = (...secrets: number[]) => ({
  deriveAll: (label: string, length: number) =>
    secrets.map((secret) => new Uint8Array(length).fill(secret ^ label.length)),
});
const tokensOf = (...secrets: number[]) =>
  createCsrfTokens({ keyring: keyring(...secrets), random: systemRandom });

test("a token is good for its session, until twelve hours have passed", () => {
  const tokens = tokensOf(1);
  const token = tokens.issue(SESSION, NOW_MS);
  assert.match(token, /^[A-Za-z0-9_-]{75}$/);
  assert.equal(tokens.verify(token, SESSION, NOW_MS), "valid");
  assert.equal(tokens.verify(token, SESSION, NOW_MS + 12 * HOUR_MS - 1), "valid");
  assert.equal(tokens.verify(token, SESSION, NOW_MS + 12 * HOUR_MS), "expired");
  assert.equal(tokens.verify(token, OTHER_SESSION, NOW_MS), "invalid");
  assert.equal(tokens.verify(token, "", NOW_MS), "invalid");
  assert.equal(tokens.verify(token, OTHER_SESSION, NOW_MS + 12 * HOUR_MS), "invalid");
});

test("another lifetime can be chosen", () => {
  const tokens = createCsrfTokens({ keyring: keyring(1), random: systemRandom, ttlMs: 1000 });
  const token = tokens.issue(SESSION, NOW_MS);
  assert.equal(tokens.verify(token, SESSION, NOW_MS + 999), "valid");
  assert.equal(tokens.verify(token, SESSION, NOW_MS + 1000), "expired");
});

test("a token from the future is refused, but for a minute of clock skew between instances", () => {
  const tokens = tokensOf(1);
  assert.equal(tokens.verify(tokens.issue(SESSION, NOW_MS + 60_000), SESSION, NOW_MS), "valid");
  assert.equal(tokens.verify(tokens.issue(SESSION, NOW_MS + 60_001), SESSION, NOW_MS), "invalid");
});

test("no two tokens are alike, and all of their text changes", () => {
  const tokens = tokensOf(1);
  const all = Array.from({ length: 1000 }, () => tokens.issue(SESSION, NOW_MS));
  assert.equal(new Set(all).size, all.length);
  assert.equal(new Set(all.map((token) => token.slice(8, 32))).size, all.length);
  assert.equal(new Set(all.map((token) => token.slice(32))).size, all.length);
});

test("previous secrets still verify and no longer sign", () => {
  const old = tokensOf(1).issue(SESSION, NOW_MS);
  const rotated = tokensOf(2, 1);
  assert.equal(rotated.verify(old, SESSION, NOW_MS), "valid");
  assert.equal(tokensOf(1).verify(rotated.issue(SESSION, NOW_MS), SESSION, NOW_MS), "invalid");
  assert.equal(tokensOf(2).verify(old, SESSION, NOW_MS), "invalid");
});

test("a keyring without keys is a fault at construction", () => {
  assert.throws(() => tokensOf(), { name: "TypeError", message: /no key/ });
});

test("the keys are derived for this purpose alone", () => {
  const asked: [string, number][] = [];
  const key = new Uint8Array(32).fill(7);
  createCsrfTokens({
    random: systemRandom,
    keyring: {
      deriveAll: (label, length) => {
        asked.push([label, length]);
        return [key];
      },
    },
  });
  assert.deepEqual(asked, [["kyros/csrf", 32]]);
});

test("R10: every other spelling of a token is refused: cut, extended, changed in any character or its last bits", () => {
  const tokens = tokensOf(1);
  const token = tokens.issue(SESSION, NOW_MS);
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/ .\0é";
  for (let i = 0; i < token.length; i++) {
    assert.equal(tokens.verify(token.slice(0, i), SESSION, NOW_MS), "invalid");
    for (const letter of alphabet) {
      const changed = token.slice(0, i) + letter + token.slice(i + 1);
      if (changed !== token) assert.equal(tokens.verify(changed, SESSION, NOW_MS), "invalid", changed);
    }
  }
  for (const extra of ["=", "A", " ", "\n", ".", token]) {
    assert.equal(tokens.verify(token + extra, SESSION, NOW_MS), "invalid");
    assert.equal(tokens.verify(extra + token, SESSION, NOW_MS), "invalid");
  }
  assert.equal(tokens.verify(token.toLowerCase(), SESSION, NOW_MS), "invalid");
});

test("no part of a session's id can pass for a part of the token, and no text makes verification throw", () => {
  const tokens = tokensOf(1);
  fc.assert(
    fc.property(fc.string(), headerBytes, (one, other) => {
      const token = tokens.issue(one, NOW_MS);
      assert.equal(tokens.verify(token, one, NOW_MS), "valid");
      if (one !== other) assert.equal(tokens.verify(token, `${one}${other}x`, NOW_MS), "invalid");
      assert.equal(tokens.verify(other, one, NOW_MS), "invalid");
      assert.equal(tokens.verify(other.padEnd(75, "A").slice(0, 75), one, NOW_MS), "invalid");
    }),
  );
});
