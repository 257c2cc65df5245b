import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import { createJws } from "../../src/crypto/jws.ts";
import { deriveJwsKeys } from "../../src/crypto/jws-key.ts";
import { openKeyring } from "../../src/crypto/keyring.ts";
import { forge, resign, segment } from "./forge.ts";
import { secretFor } from "./secrets.ts";

const keyring = openKeyring({ current: secretFor("one"), previous: [secretFor("two")] });
const [key, previousKey] = keyring.deriveAll("kyros/access-token/HS512", 64) as [Uint8Array, Uint8Array];
const keys = deriveJwsKeys(keyring, "kyros/access-token", "HS512");
const [kid, previousKid] = [keys[0].kid, keys[1]!.kid];
const jws = createJws(keys, "at+jwt");
const PAYLOAD = '{"sub":"someone"}';
const GOOD = { alg: "HS512", typ: "at+jwt", kid };

test("a header written otherwise is read, if it says the same", () => {
  const headers: readonly unknown[] = [
    GOOD,
    { kid, typ: "at+jwt", alg: "HS512" },
    { alg: "HS512", typ: "at+jwt" },
    { ...GOOD, typ: "AT+JWT" },
    { ...GOOD, typ: "application/at+jwt" },
    { ...GOOD, typ: "Application/AT+JWT" },
    { ...GOOD, cty: "text", other: { nested: [1, 2] } },
    ` ${JSON.stringify(GOOD)}\n`,
    `{"\\u0061lg":"HS512","typ":"at\\u002bjwt","kid":"${kid}"}`,
  ];
  for (const header of headers) {
    assert.equal(jws.verify(forge(key, header, PAYLOAD)).kind, "verified", JSON.stringify(header));
  }
  assert.equal(jws.verify(forge(previousKey, { ...GOOD, kid: previousKid }, PAYLOAD)).kind, "verified");
  assert.equal(jws.verify(forge(previousKey, { alg: "HS512", typ: "at+jwt" }, PAYLOAD)).kind, "verified");
});

/** Headers under the right key that must be refused, by what is wrong with them. */
const REFUSED: Readonly<Record<string, readonly unknown[]>> = {
  "wrong alg": [
    ...["none", "None", "nOnE", "NONE", "", "hs512", "HS512 ", "HS256", "HS384", "RS256", "RS512", "PS256"],
    ...["ES256", "ES512", "EdDSA", "Ed25519", "dir", "A256KW", null, 512, true, ["HS512"], { alg: "HS512" }],
  ].map((alg) => ({ ...GOOD, alg })),
  "no alg": [{ typ: "at+jwt", kid }, { typ: "at+jwt" }],
  "wrong typ": [
    ...["JWT", "jwt", "", "at+jwt ", "at+JWS", "application/jwt", "application/application/at+jwt"],
    ...["text/at+jwt", "rt+jwt", "id+jwt", "logout+jwt", "at\u212ajwt", null, 1, ["at+jwt"]],
  ].map((typ) => ({ ...GOOD, typ })),
  "no typ": [{ alg: "HS512", kid }, { alg: "HS512" }],
  "wrong kid": [
    ...["", "unknown", kid.slice(0, -1), `${kid} `, kid.toLowerCase(), "../../dev/null", "' or 1=1 --"],
    ...["__proto__", "constructor", "toString", null, 0, [kid], { kid }],
  ].map((value) => ({ ...GOOD, kid: value })),
  "the kid of another key": [{ ...GOOD, kid: previousKid }],
  crit: [["exp"], ["b64"], ["kid"], ["unknown"], [], ["alg"], "exp", null, false, {}].map((crit) => ({
    ...GOOD,
    crit,
  })),
  b64: [
    { ...GOOD, b64: false },
    { ...GOOD, b64: true },
    { ...GOOD, b64: false, crit: ["b64"] },
  ],
  zip: ["DEF", "", null].map((zip) => ({ ...GOOD, zip })),
  "keys of its own": [
    { ...GOOD, jku: "https://attacker.example/jwks.json" },
    { ...GOOD, jwk: { kty: "oct", k: "AAAA" } },
    { ...GOOD, x5u: "https://attacker.example/cert.pem" },
    { ...GOOD, x5c: ["MIIB"] },
    { ...GOOD, jwk: null },
  ],
  duplicates: [
    `{"alg":"HS512","alg":"HS512","typ":"at+jwt"}`,
    `{"alg":"none","typ":"at+jwt","alg":"HS512"}`,
    `{"alg":"HS512","typ":"JWT","typ":"at+jwt"}`,
    `{"alg":"HS512","typ":"at+jwt","\\u0061lg":"HS512"}`,
    `{"alg":"HS512","typ":"at+jwt","kid":"${kid}","kid":"${kid}"}`,
    `{"alg":"HS512","typ":"at+jwt","x":{"y":1,"y":2}}`,
  ],
  prototypes: [
    `{"typ":"at+jwt","__proto__":{"alg":"HS512"}}`,
    `{"alg":"HS512","typ":"at+jwt","constructor":1}`,
    `{"alg":"HS512","typ":"at+jwt","\\u005f_proto__":null}`,
  ],
  "no object": [
    "",
    "null",
    "[]",
    '["alg","HS512"]',
    '"HS512"',
    "1",
    "{",
    '{"alg":"HS512","typ":"at+jwt"',
    "{}x",
    "{}",
  ],
  depth: [`{"alg":"HS512","typ":"at+jwt","x":${"[".repeat(33)}${"]".repeat(33)}}`],
};

for (const [what, headers] of Object.entries(REFUSED)) {
  test(`R7: refuses a rightly signed header with ${what}`, () => {
    for (const header of headers) {
      assert.equal(jws.verify(forge(key, header, PAYLOAD)).kind, "refused", JSON.stringify(header));
    }
  });
}

test("refuses a header that is not UTF-8", () => {
  const bytes = Buffer.concat([
    Buffer.from('{"alg":"HS512","typ":"at+jwt","x":"'),
    Buffer.from([0xff, 0x22, 0x7d]),
  ]);
  const input = `${bytes.toString("base64url")}.${segment(PAYLOAD)}`;
  assert.equal(jws.verify(resign(key, input)).kind, "refused");
});

test("R1: refuses unsigned tokens of every spelling of none, with any signature", () => {
  for (const alg of ["none", "None", "nOnE", "NONE"]) {
    for (const header of [{ alg }, { alg, typ: "at+jwt" }, { alg, typ: "at+jwt", kid }]) {
      const input = `${segment(header)}.${segment(PAYLOAD)}`;
      for (const signature of ["", "AA", "A".repeat(86), forge("", header, PAYLOAD).split(".")[2]]) {
        assert.equal(jws.verify(`${input}.${signature}`).kind, "refused");
      }
    }
  }
});

test("refuses other HMACs under the right key, also where the header names them rightly", () => {
  for (const [alg, hash] of [
    ["HS256", "sha256"],
    ["HS384", "sha384"],
    ["HS512", "sha256"],
    ["HS512", "sha384"],
    ["HS512", "sha3-512"],
  ] as const) {
    assert.equal(jws.verify(forge(key, { ...GOOD, alg }, PAYLOAD, hash)).kind, "refused", `${alg} ${hash}`);
  }
});

test("R1: refuses HS512 under keys that are not ours, an empty one among them", () => {
  const secret = Buffer.from(secretFor("one"), "base64url");
  const wrong: readonly (Uint8Array | string)[] = [
    "",
    "secret",
    new Uint8Array(64),
    secret,
    secretFor("one"),
    Buffer.from(key).toString("hex"),
    Buffer.from(key).toString("base64url"),
    key.slice(0, 63),
    createHash("sha512").update(key).digest(),
    keyring.derive("kyros/access-token/EdDSA", 64),
    keyring.derive("kyros/csrf", 64),
    openKeyring({ current: secretFor("three") }).derive("kyros/access-token/HS512", 64),
    kid,
  ];
  for (const other of wrong) {
    for (const header of [GOOD, { alg: "HS512", typ: "at+jwt" }, { ...GOOD, kid: previousKid }]) {
      assert.deepEqual(jws.verify(forge(other, header, PAYLOAD)), {
        kind: "refused",
        cause: "wrong signature",
      });
    }
  }
});

test("R2: refuses asymmetric signatures by a key that the header brings or names", () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwk = rsa.publicKey.export({ format: "jwk" });
  for (const header of [
    { ...GOOD, alg: "RS256" },
    { ...GOOD, alg: "RS256", jwk },
    { ...GOOD, jwk },
  ]) {
    const input = `${segment(header)}.${segment(PAYLOAD)}`;
    const signature = sign("sha256", Buffer.from(input), rsa.privateKey).toString("base64url");
    assert.equal(jws.verify(`${input}.${signature}`).kind, "refused");
  }
});
