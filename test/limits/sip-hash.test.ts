import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createSipHash } from "../../src/stores/sip-hash.ts";

const KEY = Uint8Array.from({ length: 16 }, (_, i) => i);

function hex(key: Uint8Array, text: string): string {
  const words = new Int32Array(4);
  createSipHash(key)(text, words);
  return Buffer.from(words.buffer).toString("hex");
}

describe("SipHash-2-4-128", () => {
  // The designers' vectors: key 00..0f, message 00 01 02 …, of which a text can spell the even lengths.
  const vectors: readonly (readonly [bytes: number, digest: string])[] = [
    [0, "a3817f04ba25a8e66df67214c7550293"],
    [2, "8177228da4a45dc7fca38bdef60affe4"],
    [8, "3b62a9ba6258f5610f83e264f31497b4"],
    [14, "31fcefac66d7de9c7ec7485fe4494902"],
    [16, "6ee2a4ca67b054bbfd3315bf85230577"],
    [30, "ea5c7f471faf6bde2b1ad7d4686d2287"],
    [62, "5853542321f567a005d547a4f04759bd"],
  ];
  for (const [bytes, digest] of vectors) {
    it(`agrees with the published vector of ${bytes} bytes`, () => {
      const message = Buffer.from(Array.from({ length: bytes }, (_, i) => i));
      assert.equal(hex(KEY, message.toString("utf16le")), digest);
    });
  }

  it("keeps texts apart that UTF-8 would merge", () => {
    assert.notEqual(hex(KEY, "\ud800"), hex(KEY, "\ud801"));
    assert.notEqual(hex(KEY, "\ud800"), hex(KEY, "\ufffd"));
  });

  it("depends on every byte of its key", () => {
    const changed = Array.from(KEY, (byte, i) => hex(KEY.with(i, byte ^ 0x80), "user:a"));
    assert.equal(new Set([...changed, hex(KEY, "user:a")]).size, 17);
  });

  it("refuses a key of another length", () => {
    assert.throws(() => createSipHash(KEY.subarray(1)), RangeError);
  });
});
