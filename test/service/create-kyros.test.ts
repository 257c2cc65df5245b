import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { generateSecret } from "../../src/crypto/keyring.ts";
import type { KyrosOptions } from "../../src/index.ts";
import { createKyros } from "../../src/index.ts";
import { systemRandom } from "../../src/kernel/random.ts";

const secret = generateSecret(systemRandom);
const key = "0123456789abcdefghijklmnopqrstuv";

describe("createKyros", () => {
  const refused: [what: string, options: Record<string, unknown>, says: RegExp][] = [
    ["no secret, as of a variable that is not set", { secret: undefined }, /^the current secret is not set/],
    ["null for a secret", { secret: null }, /^the current secret is not set/],
    ["an empty secret", { secret: "" }, /^the current secret has 0 bytes/],
    ["a former secret that is none", { previousSecrets: [undefined] }, /^previous secret 1 is not set/],
    ["another algorithm", { algorithm: "HS256" }, /^algorithm: give "HS512", "EdDSA" or "ES256"/],
    ["the name of something else", { algorithm: "toString" }, /^algorithm: give/],
    [
      "an empty key",
      { apiKeys: [{ name: "ci", key: "" }] },
      /^apiKeys: in entry 1 has a key shorter than 32/,
    ],
    ["a key that is not set", { apiKeys: [{ name: "ci", key: undefined }] }, /^apiKeys: in entry 1/],
    ["an empty issuer", { issuer: "" }, /^issuer: has other than 1 to 255 visible/],
    ["an audience with a space", { audience: "my api" }, /^audience: has other than/],
    [
      "passkeys of no web page",
      { passkeyOrigins: ["ftp://x"] },
      /^passkeyOrigins: in entry 1 is not an exact/,
    ],
    [
      "passkeys without TLS",
      { passkeyOrigins: ["http://app.example"] },
      /^passkeyOrigins: has an origin without TLS/,
    ],
    ["a short key", { apiKeys: [{ name: "ci", key: key.slice(1) }] }, /^apiKeys: in entry 1/],
    ["two keys in one", { apiKeys: [{ name: "ci", key: `${key},` }] }, /^apiKeys: in entry 2/],
    [
      "a key under two names",
      {
        apiKeys: [
          { name: "ci", key },
          { name: "cd", key },
        ],
      },
      /^apiKeys: in entry 2/,
    ],
  ];
  for (const [what, options, says] of refused) {
    it(`refuses ${what} in one line that names the option`, () => {
      assert.throws(
        () => createKyros({ secret, ...options } as KyrosOptions),
        (error: Error) => says.test(error.message) && !/\n|0123456789/.test(error.message),
      );
    });
  }

  it("takes no passkeys for none, and a URL for an issuer", () => {
    createKyros({ secret, passkeyOrigins: [], issuer: "https://auth.example", audience: "urn:jobs" });
    createKyros({ secret, passkeyOrigins: ["https://app.example", "https://a.app.example:8443"] });
  });

  it("takes any page for a reader of answers, where none may use cookies", () => {
    createKyros({ secret, cors: { origins: ["*"] } });
    assert.throws(() => createKyros({ secret, cors: { origins: ["*"], credentials: true } }), /credentials/);
  });

  it("takes keys of 32 characters", () => {
    const kyros = createKyros({ secret, apiKeys: [{ name: "ci", key }] });
    assert.ok(kyros.apiKeys.isKey(key));
    assert.ok(!kyros.apiKeys.isKey(""));
  });
});
