import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { generateSecret, KeyringFault, openKeyring } from "../../src/crypto/keyring.ts";
import { systemRandom } from "../../src/kernel/random.ts";
import { secretFor } from "./secrets.ts";

/** HKDF-SHA-512 written from RFC 5869 section 2, with an empty salt. */
function hkdf(secret: Uint8Array, info: string, length: number): string {
  const extracted = createHmac("sha512", Buffer.alloc(64)).update(secret).digest();
  let block = Buffer.alloc(0);
  let all = Buffer.alloc(0);
  for (let i = 1; all.length < length; i++) {
    block = createHmac("sha512", extracted)
      .update(Buffer.concat([block, Buffer.from(info), Buffer.from([i])]))
      .digest();
    all = Buffer.concat([all, block]);
  }
  return all.subarray(0, length).toString("hex");
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const encode = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");

test("keys are HKDF-SHA-512 of the secret, with the label as info", () => {
  const secret = secretFor("one");
  const keyring = openKeyring({ current: secret });
  for (const [label, length] of [
    ["kyros/access-token/HS512", 64],
    ["kyros/csrf", 32],
    ["kyros/long", 200],
  ] as const) {
    assert.equal(hex(keyring.derive(label, length)), hkdf(Buffer.from(secret, "base64url"), label, length));
  }
});

test("the key of access tokens is pinned: other programs derive it too", () => {
  const keyring = openKeyring({ current: secretFor("pinned") });
  assert.equal(
    hex(keyring.derive("kyros/access-token/HS512", 64)),
    "3a576d98344c1c68048e34a92243a107eae57d348e38a3c04972e7d6349013dfb49f9f62b8024c7f72b28b0c10753872e4d8d43fe75cf665f305e123be5a957f",
  );
});

test("derives from each secret, the current one first", () => {
  const secrets = ["one", "two", "three"].map(secretFor);
  const keyring = openKeyring({ current: secrets[0]!, previous: secrets.slice(1) });
  const each = secrets.map((current) => openKeyring({ current }).derive("label", 32));
  assert.deepEqual(keyring.deriveAll("label", 32), each);
  assert.deepEqual(keyring.derive("label", 32), each[0]);
});

test("labels give unrelated keys", () => {
  const keyring = openKeyring({ current: secretFor("one") });
  assert.notDeepEqual(keyring.derive("a", 32), keyring.derive("b", 32));
});

const GOOD = Buffer.from(secretFor("one"), "base64url");
const REFUSED: readonly (readonly [string, string, RegExp])[] = [
  ["nothing", "", /has 0 bytes, and 64 are needed/],
  ["null as text", "null", /has 3 bytes/],
  ["63 bytes", encode(GOOD.subarray(1)), /has 63 bytes/],
  ["padding", Buffer.from(GOOD).toString("base64url").concat("=="), /not base64url without padding/],
  ["a line feed at the end", `${encode(GOOD)}\n`, /not base64url/],
  ["a space before", ` ${encode(GOOD)}`, /not base64url/],
  ["base64 in its other alphabet", Buffer.alloc(66, 0xfb).toString("base64"), /not base64url/],
  ["stray bits in the last character", `${encode(GOOD).slice(0, -1)}${"B"}`, /not base64url/],
  ["a passphrase", "correct horse battery staple ".repeat(4), /not base64url/],
  ["hexadecimal of 32 bytes", hex(GOOD.subarray(0, 32)), /has 48 bytes/],
  ["zeros", encode(new Uint8Array(64)), /not random/],
  ["one byte repeated", encode(new Uint8Array(96).fill(0xa7)), /not random/],
  ["fifteen values in no order", encode(GOOD.map((byte) => byte % 15)), /not random/],
  [
    "a 32-byte secret twice",
    encode(Buffer.concat([GOOD.subarray(0, 32), GOOD.subarray(0, 32)])),
    /not random/,
  ],
  [
    "a 20-byte secret cut off in its fourth writing",
    encode(
      Buffer.concat([GOOD.subarray(0, 20), GOOD.subarray(0, 20), GOOD.subarray(0, 20), GOOD.subarray(0, 4)]),
    ),
    /not random/,
  ],
  ["counting up", encode(Uint8Array.from({ length: 64 }, (_, i) => i + 200)), /not random/],
  ["counting down by three", encode(Uint8Array.from({ length: 64 }, (_, i) => 250 - 3 * i)), /not random/],
];

for (const [what, secret, message] of REFUSED) {
  test(`R1: refuses a secret that is ${what}, as current and as previous, without showing it`, () => {
    const refusedWith = (which: string) => (error: unknown) => {
      assert.ok(error instanceof KeyringFault);
      assert.match(error.message, message);
      assert.ok(error.message.startsWith(which), error.message);
      assert.ok(!error.message.includes("\n"));
      if (secret.length > 8) assert.ok(!error.message.includes(secret.slice(0, 8)));
      return true;
    };
    const good = secretFor("two");
    assert.throws(() => openKeyring({ current: secret }), refusedWith("the current secret"));
    assert.throws(
      () => openKeyring({ current: good, previous: [good, secret] }),
      refusedWith("previous secret 2"),
    );
  });
}

test("generates secrets that open a keyring, never the same twice", () => {
  const one = generateSecret(systemRandom);
  assert.equal(Buffer.from(one, "base64url").length, 64);
  assert.notEqual(one, generateSecret(systemRandom));
  openKeyring({ current: one });
});
