import assert from "node:assert/strict";
import { test } from "node:test";
import { jwtVerify } from "jose";
import { openKeyring } from "../../src/crypto/keyring.ts";
import type { AccessTokenOptions } from "../../src/identity/tokens/access-tokens.ts";
import { createAccessTokens } from "../../src/identity/tokens/access-tokens.ts";
import { Refusal } from "../../src/kernel/failure.ts";
import { forge } from "../crypto/forge.ts";
import { secretFor } from "../crypto/secrets.ts";

const NOW_MS = 1_750_000_000_123;
const IAT = 1_750_000_000;
const keyring = openKeyring({ current: secretFor("one") });
const key = keyring.derive("kyros/access-token/HS512", 64);
const subject = { userId: "user-id", sessionId: "session-id", role: "moderator", nowMs: NOW_MS } as const;

function create(options: Partial<AccessTokenOptions> = {}) {
  return createAccessTokens({ keyring, issuer: "kyros", audience: "kyros", ttlMs: 7_200_000, ...options });
}

test("a user's token has exactly the documented header and claims", async () => {
  const issued = create().issue(subject);
  const { payload, protectedHeader } = await jwtVerify(issued.token, key, {
    issuer: "kyros",
    audience: "kyros",
    typ: "at+jwt",
    currentDate: new Date(NOW_MS),
  });
  assert.deepEqual(Object.keys(protectedHeader), ["alg", "typ", "kid"]);
  assert.deepEqual(payload, {
    iss: "kyros",
    aud: "kyros",
    sub: "user-id",
    iat: IAT,
    exp: IAT + 7200,
    jti: issued.tokenId,
    sid: "session-id",
    role: "moderator",
  });
  assert.equal(issued.expiresAtMs, (IAT + 7200) * 1000);
  assert.match(issued.tokenId, /^[0-9a-f-]{36}$/);
});

test("scopes are one claim, space-separated, and there even where empty", async () => {
  const tokens = create();
  for (const [scopes, scope] of [
    [["a:read", "b"], "a:read b"],
    [[], ""],
  ] as const) {
    const { token } = tokens.issue({ ...subject, scopes });
    const { payload } = await jwtVerify(token, key, { currentDate: new Date(NOW_MS) });
    assert.equal(payload["scope"], scope);
    const outcome = tokens.verify(token, NOW_MS);
    assert.ok(outcome.kind === "valid");
    assert.deepEqual(outcome.claims.scopes, scopes);
  }
});

test("a program's token names its key twice and no session", async () => {
  const tokens = create();
  const { token, tokenId } = tokens.issueService({ keyId: "key-id", scopes: ["a", "b"], nowMs: NOW_MS });
  const { payload } = await jwtVerify(token, key, { currentDate: new Date(NOW_MS) });
  const times = { iat: IAT, exp: IAT + 7200, jti: tokenId };
  const names = { iss: "kyros", aud: "kyros", sub: "key-id", client_id: "key-id", scope: "a b" };
  assert.deepEqual(payload, { ...names, ...times });
  const outcome = tokens.verify(token, NOW_MS);
  assert.ok(outcome.kind === "valid" && outcome.claims.kind === "service");
  assert.equal(outcome.claims.sid, undefined);
});

test("a scope cannot bring another one along", () => {
  const tokens = create();
  for (const scope of ["a admin", "", " ", "a\n", 'a"b', "a\\b", "é", "\ud800", "a\u007f"]) {
    for (const issue of [
      () => tokens.issue({ ...subject, scopes: ["ok", scope] }),
      () => tokens.issueService({ keyId: "key-id", scopes: [scope], nowMs: NOW_MS }),
    ]) {
      assert.throws(issue, (error) => error instanceof Refusal && error.problem.code === "validation_failed");
    }
  }
});

test("a token that would not be read again is not issued", () => {
  const tokens = create();
  const scopes = Array.from({ length: 1000 }, (_, i) => `scope:${i}`);
  assert.throws(
    () => tokens.issue({ ...subject, scopes }),
    (error) => error instanceof Refusal && error.problem.code === "validation_failed",
  );
  for (const id of ["", "x".repeat(65)]) {
    assert.throws(() => tokens.issue({ ...subject, userId: id }), TypeError);
    assert.throws(() => tokens.issue({ ...subject, sessionId: id }), TypeError);
    assert.throws(() => tokens.issueService({ keyId: id, scopes: [], nowMs: NOW_MS }), TypeError);
  }
});

for (const algorithm of ["HS512", "EdDSA", "ES256"] as const) {
  test(`what is issued with ${algorithm} verifies, here and after a rotation, and nowhere else`, () => {
    const { token } = create({ algorithm }).issue(subject);
    const rotated = openKeyring({ current: secretFor("two"), previous: [secretFor("one")] });
    assert.equal(create({ algorithm }).verify(token, NOW_MS).kind, "valid");
    assert.equal(create({ algorithm, keyring: rotated }).verify(token, NOW_MS).kind, "valid");
    const foreign: Partial<AccessTokenOptions>[] = [
      { keyring: openKeyring({ current: secretFor("two") }) },
      { issuer: "other" },
      { audience: "other" },
      { algorithm: algorithm === "HS512" ? "EdDSA" : "HS512" },
    ];
    for (const options of foreign) {
      assert.equal(create({ algorithm, ...options }).verify(token, NOW_MS).kind, "invalid");
    }
  });
}

test("serves public keys where there are any", () => {
  assert.deepEqual(create().publicJwks(), { keys: [] });
  assert.equal(create({ algorithm: "ES256" }).publicJwks().keys[0]?.crv, "P-256");
});

test("tokens of other kinds under the same key are no access tokens", () => {
  const claims = {
    iss: "kyros",
    aud: "kyros",
    sub: "u",
    iat: IAT,
    exp: IAT + 60,
    jti: "t",
    sid: "s",
    role: "user",
  };
  assert.equal(create().verify(forge(key, { alg: "HS512", typ: "at+jwt" }, claims), NOW_MS).kind, "valid");
  for (const typ of ["JWT", "rt+jwt", "dpop+jwt", undefined]) {
    assert.equal(create().verify(forge(key, { alg: "HS512", typ }, claims), NOW_MS).kind, "invalid");
  }
});

test("two tokens of one moment differ in their jti alone", () => {
  const tokens = create();
  const [one, two] = [tokens.issue(subject), tokens.issue(subject)];
  assert.notEqual(one.tokenId, two.tokenId);
  assert.notEqual(one.token, two.token);
});

test("what is not a token is invalid, and costs nothing", () => {
  const tokens = create();
  for (const text of ["", ".", "..", ".".repeat(5000), "x".repeat(1 << 20), "\ud800.\ud800.\ud800"]) {
    assert.equal(tokens.verify(text, NOW_MS).kind, "invalid");
  }
});
