import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { generateSecret, openKeyring } from "../../src/crypto/keyring.ts";
import { createSealing } from "../../src/crypto/sealing.ts";
import { systemRandom } from "../../src/kernel/random.ts";

const [FIRST, SECOND] = [generateSecret(systemRandom), generateSecret(systemRandom)];
const PLAIN = Buffer.from("a secret to be read again");

const sealingOf = (current: string, previous: readonly string[] = [], label = "kyros/test") =>
  createSealing(openKeyring({ current, previous }), label, systemRandom);

describe("sealed secrets", () => {
  const sealing = sealingOf(FIRST);

  it("open where they belong, and are another text each time", () => {
    const texts = Array.from({ length: 10 }, () => sealing.seal(PLAIN, "here"));
    assert.equal(new Set(texts).size, 10);
    for (const text of texts) {
      assert.deepEqual(Buffer.from(sealing.open(text, "here")!), PLAIN);
      assert.ok(text.startsWith(sealing.currentPrefix));
      assert.ok(!Buffer.from(text.split(".")[2]!, "base64url").includes("secret"));
    }
  });

  it("do not open elsewhere, under another label or key, or without the former key", () => {
    const text = sealing.seal(PLAIN, "here");
    assert.equal(sealing.open(text, "there"), undefined);
    assert.equal(sealingOf(FIRST, [], "kyros/other").open(text, "here"), undefined);
    assert.equal(sealingOf(SECOND).open(text, "here"), undefined);
  });

  it("open by a former key, and are found by what they begin with", () => {
    const text = sealing.seal(PLAIN, "here");
    const rotated = sealingOf(SECOND, [FIRST]);
    assert.deepEqual(Buffer.from(rotated.open(text, "here")!), PLAIN);
    assert.notEqual(rotated.currentPrefix, sealing.currentPrefix);
    assert.ok(!text.startsWith(rotated.currentPrefix));
  });

  it("do not open with any one bit changed, cut short or in another spelling", () => {
    const text = sealing.seal(PLAIN, "here");
    const start = sealing.currentPrefix.length;
    const bytes = Buffer.from(text.slice(start), "base64url");
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      assert.equal(sealing.open(text.slice(0, start) + changed.toString("base64url"), "here"), undefined);
    }
    for (let length = 0; length < text.length; length++) {
      assert.equal(sealing.open(text.slice(0, length), "here"), undefined);
    }
    for (const other of [`${text}=`, `${text} `, text.toUpperCase(), `2${text.slice(1)}`]) {
      assert.equal(sealing.open(other, "here"), undefined);
    }
  });
});
