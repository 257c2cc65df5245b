import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from "jose";
import { generateSecret } from "../../src/crypto/keyring.ts";
import { systemRandom } from "../../src/kernel/random.ts";
import { ask, bearer } from "./ask.ts";
import type { TestService } from "./running-service.ts";
import { runService } from "./running-service.ts";

/** Every member of RFC 7517, 7518 and 8037 that is or may be private. */
const PRIVATE = ["d", "k", "p", "q", "dp", "dq", "qi", "oth"];
const MEMBERS = {
  EdDSA: { names: ["alg", "crv", "kid", "kty", "use", "x"], kty: "OKP", crv: "Ed25519" },
  ES256: { names: ["alg", "crv", "kid", "kty", "use", "x", "y"], kty: "EC", crv: "P-256" },
} as const;

const jwksOf = async (service: TestService): Promise<JSONWebKeySet> =>
  (await ask(service, "GET", "/.well-known/jwks.json")).body;
const verify = (token: string, jwks: JSONWebKeySet) =>
  jwtVerify(token, createLocalJWKSet(jwks), { issuer: "kyros", audience: "kyros", typ: "at+jwt" });
const metadataOf = async (service: TestService) =>
  (await ask(service, "GET", "/.well-known/oauth-authorization-server")).body;

describe("public keys", () => {
  it("are none with HS512: nothing of a secret key is served", async (t) => {
    const service = await runService();
    t.after(() => service.stop());
    assert.deepEqual(await jwksOf(service), { keys: [] });
    assert.equal("jwks_uri" in (await metadataOf(service)), false);
  });

  for (const [algorithm, { names, kty, crv }] of Object.entries(MEMBERS)) {
    it(`R5: verify what the service issues with ${algorithm}, are of its type and curve, and have no private part`, async (t) => {
      const service = await runService({ KYROS_TOKEN_ALGORITHM: algorithm });
      t.after(() => service.stop());
      await service.createUser("alice");
      const { access_token } = await service.login("alice");
      assert.equal((await ask(service, "GET", "/protected", bearer(access_token))).status, 200);

      const answer = await ask(service, "GET", "/.well-known/jwks.json");
      assert.equal(answer.status, 200);
      assert.match(answer.headers.get("content-type") ?? "", /^application\/json\b/);
      assert.equal(answer.headers.get("cache-control"), "public, max-age=300");
      const [key, ...more] = answer.body.keys;
      assert.deepEqual(more, []);
      assert.deepEqual(Object.keys(key).sort(), names);
      assert.deepEqual([key.kty, key.crv, key.alg, key.use], [kty, crv, algorithm, "sig"]);
      for (const name of PRIVATE) assert.equal(name in key, false, name);

      const { payload, protectedHeader } = await verify(access_token, answer.body);
      assert.equal(protectedHeader.kid, key.kid);
      assert.equal(typeof payload["sid"], "string");
      assert.match((await metadataOf(service)).jwks_uri, /\/\.well-known\/jwks\.json$/);
    });

    it(`of a former secret are served beside the new one's with ${algorithm}, until it is dropped`, async (t) => {
      const [former, current] = [generateSecret(systemRandom), generateSecret(systemRandom)];
      const run = (secrets: Record<string, string>) =>
        runService({ KYROS_TOKEN_ALGORITHM: algorithm, ...secrets });
      const before = await run({ KYROS_SECRET: former });
      t.after(() => before.stop());
      await before.createUser("alice");
      const { access_token: old } = await before.login("alice");
      const [formerKey] = (await jwksOf(before)).keys;

      const rotated = await run({ KYROS_SECRET: current, KYROS_SECRET_PREVIOUS: former });
      t.after(() => rotated.stop());
      await rotated.createUser("alice");
      const { access_token: fresh } = await rotated.login("alice");
      const both = await jwksOf(rotated);
      assert.equal(both.keys.length, 2);
      assert.deepEqual(both.keys[1], formerKey);
      assert.equal(decodeProtectedHeader(fresh).kid, both.keys[0]!.kid);
      assert.equal(decodeProtectedHeader(old).kid, formerKey!.kid);
      for (const token of [old, fresh]) await verify(token, both);

      const dropped = await run({ KYROS_SECRET: current });
      t.after(() => dropped.stop());
      const one = await jwksOf(dropped);
      assert.deepEqual(one.keys, [both.keys[0]]);
      await verify(fresh, one);
      await assert.rejects(verify(old, one), { code: "ERR_JWKS_NO_MATCHING_KEY" });
    });
  }

  for (const algorithm of ["HS512", "EdDSA", "ES256"]) {
    it(`rotate without signing anybody out with ${algorithm}`, async (t) => {
      const [former, current] = [generateSecret(systemRandom), generateSecret(systemRandom)];
      const before = await runService({ KYROS_TOKEN_ALGORITHM: algorithm, KYROS_SECRET: former });
      t.after(() => before.stop());
      await before.createUser("alice");
      const pair = await before.login("alice");
      const browser = await before.browser("alice");
      const shared = { KYROS_TOKEN_ALGORITHM: algorithm, KYROS_DATA_DIR: before.dataDir };

      const rotated = await runService({
        ...shared,
        KYROS_SECRET: current,
        KYROS_SECRET_PREVIOUS: former,
      });
      t.after(() => rotated.stop());
      const hello = (headers: Record<string, string>) => ask(rotated, "GET", "/protected", headers);
      assert.equal((await hello(bearer(pair.access_token))).status, 200);
      assert.equal((await hello({ cookie: browser.cookie })).status, 200);
      const refreshed = await ask(
        rotated,
        "POST",
        "/auth/refresh",
        {},
        { refresh_token: pair.refresh_token },
      );
      assert.equal(refreshed.status, 200);
      assert.equal((await hello(bearer(refreshed.body.access_token))).status, 200);
      const out = await ask(rotated, "DELETE", "/auth/session", {
        cookie: browser.cookie,
        "x-csrf-token": browser.csrf,
        "sec-fetch-site": "same-origin",
      });
      assert.equal(out.status, 204, "the proof of a page from before is still one");

      const dropped = await runService({ ...shared, KYROS_SECRET: current });
      t.after(() => dropped.stop());
      const gone = await ask(dropped, "GET", "/protected", bearer(pair.access_token));
      assert.deepEqual([gone.status, gone.body.code], [401, "token_invalid"]);
    });
  }
});
