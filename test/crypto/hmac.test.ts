import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { prepareHmac } from "../../src/crypto/hmac.ts";

const ALGORITHMS = ["sha256", "sha384", "sha512"] as const;

/** The cases of RFC 4231 whose data is text: sections 4.2, 4.3, 4.7 and 4.8. */
const RFC_4231 = [
  {
    key: Buffer.alloc(20, 0x0b),
    data: "Hi There",
    sha256: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    sha384:
      "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
    sha512:
      "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
  },
  {
    key: Buffer.from("Jefe"),
    data: "what do ya want for nothing?",
    sha256: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    sha384:
      "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
    sha512:
      "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
  },
  {
    key: Buffer.alloc(131, 0xaa),
    data: "Test Using Larger Than Block-Size Key - Hash Key First",
    sha256: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    sha384:
      "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952",
    sha512:
      "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
  },
  {
    key: Buffer.alloc(131, 0xaa),
    data: "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.",
    sha256: "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    sha384:
      "6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5a678cc31e799176d3860e6110c46523e",
    sha512:
      "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58",
  },
] as const;

for (const algorithm of ALGORITHMS) {
  test(`HMAC with ${algorithm} gives the values of RFC 4231`, () => {
    for (const vector of RFC_4231) {
      const code = prepareHmac(algorithm, vector.key, "base64url")(vector.data);
      assert.equal(Buffer.from(code, "base64url").toString("hex"), vector[algorithm], vector.data);
    }
  });
}

test("any text under any key has the code that node's own HMAC gives it", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...ALGORITHMS),
      fc.constantFrom("base64" as const, "base64url" as const),
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.string({ unit: "binary", maxLength: 300 }), { minLength: 1, maxLength: 4 }),
      (algorithm, encoding, key, texts) => {
        const code = prepareHmac(algorithm, key, encoding);
        for (const text of texts) {
          assert.equal(code(text), createHmac(algorithm, key).update(text, "utf8").digest(encoding));
        }
      },
    ),
  );
});

test("texts around and beyond what is assembled in place have the right code, and leave the next one alone", () => {
  const key = Buffer.alloc(64, 7);
  const code = prepareHmac("sha512", key, "base64url");
  for (const length of [0, 4095, 4096, 4097, 20_000]) {
    for (const text of ["a".repeat(length), "\uffff".repeat(length), "b"]) {
      assert.equal(code(text), createHmac("sha512", key).update(text).digest("base64url"), `${length}`);
    }
  }
});

test("prepared codes do not share state", () => {
  const one = prepareHmac("sha512", Buffer.alloc(64, 1), "base64url");
  const before = one("text");
  prepareHmac("sha512", Buffer.alloc(64, 2), "base64url")("another, longer text");
  assert.equal(one("text"), before);
});
