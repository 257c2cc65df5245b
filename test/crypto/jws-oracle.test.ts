import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { test } from "node:test";
import { CompactSign, calculateJwkThumbprint, compactVerify, createLocalJWKSet, importJWK } from "jose";
import { createJws } from "../../src/crypto/jws.ts";
import type { JwsAlgorithm } from "../../src/crypto/jws-key.ts";
import { deriveJwsKeys } from "../../src/crypto/jws-key.ts";
import { openKeyring } from "../../src/crypto/keyring.ts";
import { secretFor } from "./secrets.ts";

const PURPOSE = "kyros/access-token";
const keyring = openKeyring({ current: secretFor("one") });
const rotated = openKeyring({ current: secretFor("two"), previous: [secretFor("one")] });
const ALGORITHMS: readonly JwsAlgorithm[] = ["HS512", "EdDSA", "ES256"];
const PAYLOAD = '{"sub":"é\u{1f600}"}';

const keysOf = (algorithm: JwsAlgorithm, ring = keyring) => deriveJwsKeys(ring, PURPOSE, algorithm);
const jwsOf = (algorithm: JwsAlgorithm, ring = keyring) => createJws(keysOf(algorithm, ring), "at+jwt");

/** The private halves, derived as documented and assembled by another library. */
async function signingKey(algorithm: JwsAlgorithm) {
  if (algorithm === "HS512") return keyring.derive(`${PURPOSE}/HS512`, 64);
  const { publicJwk } = keysOf(algorithm)[0];
  if (algorithm === "EdDSA") {
    const d = Buffer.from(keyring.derive(`${PURPOSE}/EdDSA`, 32)).toString("base64url");
    return importJWK({ ...publicJwk, d }, "EdDSA");
  }
  const order = BigInt("0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
  const wide = BigInt(`0x${Buffer.from(keyring.derive(`${PURPOSE}/ES256`, 48)).toString("hex")}`);
  const d = Buffer.from(((wide % (order - 1n)) + 1n).toString(16).padStart(64, "0"), "hex");
  return importJWK({ ...publicJwk, d: d.toString("base64url") }, "ES256");
}

for (const algorithm of ALGORITHMS) {
  test(`jose verifies what we sign with ${algorithm}`, async () => {
    const token = jwsOf(algorithm).sign(PAYLOAD);
    const { publicJwk, kid } = keysOf(algorithm)[0];
    const key = publicJwk ? await importJWK(publicJwk) : keyring.derive(`${PURPOSE}/HS512`, 64);
    const { payload, protectedHeader } = await compactVerify(token, key, { algorithms: [algorithm] });
    assert.equal(Buffer.from(payload).toString(), PAYLOAD);
    assert.deepEqual(protectedHeader, { alg: algorithm, typ: "at+jwt", kid });
  });

  test(`we verify what jose signs with ${algorithm}, with and without kid`, async () => {
    const key = await signingKey(algorithm);
    const { kid } = keysOf(algorithm)[0];
    const headers = [
      { alg: algorithm, typ: "at+jwt", kid },
      { alg: algorithm, typ: "at+jwt" },
      { kid, typ: "application/AT+JWT", alg: algorithm },
      { alg: algorithm, typ: "AT+jwt", kid, "x-unknown": [1] },
    ];
    for (const header of headers) {
      const token = await new CompactSign(Buffer.from(PAYLOAD)).setProtectedHeader(header).sign(key);
      for (const ring of [keyring, rotated]) {
        assert.deepEqual(jwsOf(algorithm, ring).verify(token), { kind: "verified", payload: PAYLOAD });
      }
    }
  });

  test(`${algorithm}: tokens of the previous secret verify, those of a forgotten one do not`, () => {
    const token = jwsOf(algorithm).sign(PAYLOAD);
    assert.equal(jwsOf(algorithm, rotated).verify(token).kind, "verified");
    const other = jwsOf(algorithm, openKeyring({ current: secretFor("three") }));
    assert.deepEqual(other.verify(token), { kind: "refused", cause: "unknown kid" });
    const fresh = jwsOf(algorithm, rotated).sign(PAYLOAD);
    assert.deepEqual(jwsOf(algorithm).verify(fresh), { kind: "refused", cause: "unknown kid" });
  });

  test(`${algorithm}: any changed signature, payload or header is refused`, () => {
    const jws = jwsOf(algorithm);
    const token = jws.sign(PAYLOAD);
    for (let i = 0; i < token.length; i++) {
      for (const character of ["A", "g", "_", "."]) {
        if (character === token[i]) continue;
        const changed = token.slice(0, i) + character + token.slice(i + 1);
        assert.equal(jws.verify(changed).kind, "refused", changed);
      }
    }
  });
}

test("R5: no algorithm verifies what another has signed", () => {
  for (const signer of ALGORITHMS) {
    for (const verifier of ALGORITHMS) {
      const expected = signer === verifier ? "verified" : "refused";
      assert.equal(
        jwsOf(verifier).verify(jwsOf(signer).sign(PAYLOAD)).kind,
        expected,
        `${signer} ${verifier}`,
      );
    }
  }
});

test("keys are the same after a restart, and no two share material or a kid", () => {
  const kids = new Set<string>();
  for (const algorithm of ALGORITHMS) {
    const [current, previous] = keysOf(algorithm, rotated);
    assert.deepEqual(previous!.publicJwk, keysOf(algorithm)[0].publicJwk);
    assert.equal(previous!.kid, keysOf(algorithm)[0].kid);
    kids.add(current.kid).add(previous!.kid);
  }
  assert.equal(kids.size, 6);
});

test("the key set serves public keys of current and previous secrets, and no private member", async () => {
  assert.deepEqual(jwsOf("HS512", rotated).publicJwks(), { keys: [] });
  for (const algorithm of ["EdDSA", "ES256"] as const) {
    const jwks = jwsOf(algorithm, rotated).publicJwks();
    assert.equal(jwks.keys.length, 2);
    for (const jwk of jwks.keys) {
      const members = algorithm === "EdDSA" ? "alg,crv,kid,kty,use,x" : "alg,crv,kid,kty,use,x,y";
      assert.equal(Object.keys(jwk).sort().join(), members);
      await calculateJwkThumbprint({ ...jwk });
    }
    const keySet = createLocalJWKSet({ keys: jwks.keys.map((jwk) => ({ ...jwk })) });
    for (const ring of [keyring, rotated]) {
      const { payload } = await compactVerify(jwsOf(algorithm, ring).sign(PAYLOAD), keySet);
      assert.equal(Buffer.from(payload).toString(), PAYLOAD);
    }
  }
});

test("an Ed25519 key is what RFC 8032 makes of its seed (section 7.1, test 1)", () => {
  const seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
  const seeded = {
    derive: () => new Uint8Array(),
    deriveAll: (_: string, length: number) => [new Uint8Array(Buffer.from(seed, "hex")).slice(0, length)],
  };
  const [key] = deriveJwsKeys(seeded, PURPOSE, "EdDSA");
  assert.equal(
    Buffer.from(key.publicJwk!.x, "base64url").toString("hex"),
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
  );
  const signature = Buffer.from(key.sign(""), "base64url");
  assert.match(
    signature.toString("hex"),
    /^e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155/,
  );
  const publicKey = createPublicKey({ key: { ...key.publicJwk! }, format: "jwk" });
  assert.ok(verify(null, Buffer.alloc(0), publicKey, signature));
});

test("a P-256 scalar is reduced into 1 to n-1 (FIPS 186-5 A.2.1), also from the extremes", () => {
  const order = BigInt("0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
  const seeds = [0n, 1n, order - 2n, order - 1n, order, (1n << 384n) - 1n];
  const publics = seeds.map((seed) => {
    const bytes = new Uint8Array(Buffer.from(seed.toString(16).padStart(96, "0"), "hex"));
    const seeded = {
      derive: () => bytes,
      deriveAll: (_: string, length: number) => [bytes.slice(0, length)],
    };
    const [key] = deriveJwsKeys(seeded, PURPOSE, "ES256");
    assert.ok(key.verify("input", key.sign("input")));
    return key.publicJwk!.x;
  });
  // 1·G, as SP 800-186 section 3.2.1.3 prints it; and n-1 wraps to 1, n to 2.
  const x = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
  assert.equal(Buffer.from(publics[0]!, "base64url").toString("hex"), x);
  assert.equal(publics[2], publics[0], "(n-1)·G has the x of G");
  assert.equal(publics[3], publics[0]);
  assert.equal(publics[4], publics[1]);
});
