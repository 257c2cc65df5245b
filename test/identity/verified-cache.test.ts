import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { openKeyring } from "../../src/crypto/keyring.ts";
import { createAccessTokens } from "../../src/identity/tokens/access-tokens.ts";
import { createVerifiedCache } from "../../src/identity/verified-cache.ts";
import { forge } from "../crypto/forge.ts";
import { secretFor } from "../crypto/secrets.ts";

const NOW_MS = 1_750_000_000_000;
const NOW = NOW_MS / 1000;
const keyring = openKeyring({ current: secretFor("one") });
const key = keyring.derive("kyros/access-token/HS512", 64);
const subject = { userId: "user-id", sessionId: "session-id", role: "user", nowMs: NOW_MS } as const;
const create = (cacheSize?: number) =>
  createAccessTokens({
    keyring,
    issuer: "kyros",
    audience: "kyros",
    ttlMs: 7_200_000,
    ...(cacheSize !== undefined && { cacheSize }),
  });

test("a hit is the very outcome of before, frozen through and through", () => {
  const tokens = create();
  const { token } = tokens.issue({ ...subject, scopes: ["a"] });
  const first = tokens.verify(token, NOW_MS);
  assert.ok(first.kind === "valid");
  assert.equal(tokens.verify(Buffer.from(token).toString(), NOW_MS + 1), first);
  assert.ok(Object.isFrozen(first) && Object.isFrozen(first.claims) && Object.isFrozen(first.claims.scopes));
  const uncached = create(0);
  assert.notEqual(uncached.verify(token, NOW_MS), uncached.verify(token, NOW_MS));
});

test("an entry does not outlive its token", () => {
  const tokens = create();
  const { token, expiresAtMs } = tokens.issue(subject);
  assert.equal(tokens.verify(token, NOW_MS).kind, "valid");
  assert.equal(tokens.verify(token, expiresAtMs - 1).kind, "valid");
  assert.deepEqual(tokens.verify(token, expiresAtMs), { kind: "expired" });
  assert.deepEqual(tokens.verify(token, expiresAtMs + 1e9), { kind: "expired" });
});

test("an entry is not valid before its token is, should the clock be set back", () => {
  const claims = { iss: "kyros", aud: "kyros", sub: "u", jti: "t", sid: "s", role: "user", exp: NOW + 7200 };
  for (const times of [{ iat: NOW, nbf: NOW + 100 }, { iat: NOW + 160 }]) {
    const tokens = create();
    const token = forge(key, { alg: "HS512", typ: "at+jwt" }, { ...claims, ...times });
    assert.equal(tokens.verify(token, NOW_MS + 100_000).kind, "valid");
    assert.equal(tokens.verify(token, NOW_MS + 99_999).kind, "invalid");
  }
});

test("what is refused leaves nothing behind that a later look could find", () => {
  const tokens = create();
  const claims = {
    iss: "kyros",
    aud: "kyros",
    sub: "u",
    jti: "t",
    sid: "s",
    role: "user",
    iat: NOW,
    exp: NOW + 60,
  };
  const early = forge(key, { alg: "HS512", typ: "at+jwt" }, { ...claims, nbf: NOW + 30 });
  assert.equal(tokens.verify(early, NOW_MS).kind, "invalid");
  assert.equal(tokens.verify(early, NOW_MS + 30_000).kind, "valid");
  const forged = forge("wrong", { alg: "HS512", typ: "at+jwt" }, claims);
  for (let i = 0; i < 3; i++) assert.equal(tokens.verify(forged, NOW_MS).kind, "invalid");
});

test("tokens that have expired push no valid one out", () => {
  const tokens = create(2);
  const { token } = tokens.issue(subject);
  const outcome = tokens.verify(token, NOW_MS);
  for (let i = 0; i < 10; i++) {
    const old = tokens.issue({ ...subject, nowMs: NOW_MS - 8_000_000 }).token;
    assert.equal(tokens.verify(old, NOW_MS).kind, "expired");
  }
  assert.equal(tokens.verify(token, NOW_MS), outcome);
});

test("R6: of 100,000 pairs that differ in one character, none shares an entry and none verifies", () => {
  const tokens = create(1000);
  const issued = Array.from({ length: 290 }, (_, i) => {
    const { token, tokenId } = tokens.issue({ ...subject, userId: `user-${i}` });
    const outcome = tokens.verify(token, NOW_MS);
    assert.ok(outcome.kind === "valid" && outcome.claims.jti === tokenId);
    return { token, outcome };
  });
  const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ~\0\u0141";
  let pairs = 0;
  for (const { token } of issued) {
    for (let i = 0; i < token.length; i++) {
      const character = characters[(i * 31 + pairs * 7) % characters.length]!;
      if (character === token[i]) continue;
      pairs++;
      const changed = token.slice(0, i) + character + token.slice(i + 1);
      assert.equal(tokens.verify(changed, NOW_MS).kind, "invalid", changed);
    }
  }
  assert.ok(pairs >= 100_000, `${pairs} pairs`);
  for (const { token, outcome } of issued) assert.equal(tokens.verify(token, NOW_MS), outcome);
});

test("R6: tokens whose parts join to the same text are not the same token", () => {
  const tokens = create();
  const { token } = tokens.issue(subject);
  tokens.verify(token, NOW_MS);
  const [head, payload, signature] = token.split(".");
  for (const text of [
    `${head}${payload}.${signature}`,
    `${head}.${payload}${signature}`,
    `${head}${payload}${signature}`,
    `${head}.${payload}..${signature}`,
    `${payload}.${head}.${signature}`,
    ` ${token}`,
    `${token}\0`,
  ]) {
    assert.equal(tokens.verify(text, NOW_MS).kind, "invalid");
  }
});

test("never holds more than its capacity, nor answers with another's value", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 9 }),
      fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 12 })), { maxLength: 60 }),
      (capacity, steps) => {
        const cache = createVerifiedCache<{ n: number }>(capacity);
        const values = Array.from({ length: 13 }, (_, n) => ({ n }));
        for (const [isSet, n] of steps) {
          if (isSet) cache.set(`t${n}`, values[n]!);
          else assert.ok([undefined, values[n]].includes(cache.get(`t${n}`)));
        }
        let held = 0;
        for (let n = 0; n < 13; n++) {
          // Looking moves entries about: each question goes to a cache with the same past.
          const twin = createVerifiedCache<{ n: number }>(capacity);
          for (const [isSet, m] of steps) isSet ? twin.set(`t${m}`, values[m]!) : twin.get(`t${m}`);
          if (twin.get(`t${n}`) !== undefined) held++;
        }
        assert.ok(held <= capacity, `${held} of ${capacity}`);
      },
    ),
  );
});

test("tells tokens apart that end alike, of which the last one set is there", () => {
  const cache = createVerifiedCache<string>(100);
  const end = "=".repeat(86);
  cache.set(`one${end}`, "one");
  cache.set(end, "end");
  assert.equal(cache.get(end), "end");
  for (const other of [`one${end}`, `two${end}`, `=${end}`, end.slice(1), end.slice(62)]) {
    assert.equal(cache.get(other), undefined, other);
  }
  for (let i = 0; i < 50; i++) cache.set(`${i}`, "passing");
  assert.equal(cache.get(`two${end}`), undefined, "nor in the old generation");
  assert.equal(cache.get(end), "end");
});

test("keeps what is in use while others come and go", () => {
  const cache = createVerifiedCache<string>(100);
  cache.set("used", "value");
  cache.set("unused", "value");
  for (let i = 0; i < 1000; i++) {
    cache.set(`passing ${i}`, "value");
    assert.equal(cache.get("used"), "value");
  }
  assert.equal(cache.get("unused"), undefined);
  assert.equal(cache.get("passing 999"), "value");
});
