import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { secret } from "../../src/config/secret-kinds.ts";
import { openKeyring } from "../../src/crypto/keyring.ts";

function agree(text: string): void {
  const taken = "value" in secret.read(text);
  let opened = true;
  try {
    openKeyring({ current: text });
  } catch {
    opened = false;
  }
  assert.equal(taken, opened, text);
}

const bytes = (length: number, byte: (index: number) => number) =>
  Buffer.from(Array.from({ length }, (_, index) => byte(index))).toString("base64url");

test("the settings take the secrets that the keyring opens, and no others", () => {
  for (const text of [
    bytes(64, (i) => i),
    bytes(64, (i) => i * 7 + 3),
    bytes(64, (i) => 255 - i),
    bytes(64, (i) => (i % 32) * (i % 32)),
    bytes(65, (i) => (i % 32) * (i % 32)),
    bytes(64, (i) => (i % 33) * (i % 33)),
    bytes(64, (i) => i * i),
    bytes(64, (i) => i % 15),
    bytes(64, (i) => (i * i) % 17),
    bytes(63, (i) => i * i),
  ]) {
    agree(text);
  }
});

test("they agree on any text and any bytes", () => {
  const texts = fc.oneof(
    fc.string({ unit: "binary", maxLength: 120 }),
    fc.stringMatching(/^[A-Za-z0-9_-]{80,100}=?$/),
    fc.uint8Array({ minLength: 60, maxLength: 80 }).map((array) => Buffer.from(array).toString("base64url")),
    fc
      .tuple(fc.uint8Array({ minLength: 14, maxLength: 40 }), fc.integer({ min: 60, max: 90 }))
      .map(([unit, length]) => bytes(length, (index) => unit[index % unit.length]!)),
  );
  fc.assert(fc.property(texts, agree), { numRuns: 1000 });
});
