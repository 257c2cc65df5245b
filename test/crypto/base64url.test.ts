import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeBase64url, isCanonicalBase64url } from "../../src/crypto/base64url.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

test("what an encoder writes is canonical and decodes to the same bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const text = Buffer.from(bytes).toString("base64url");
      assert.ok(isCanonicalBase64url(text));
      assert.deepEqual(decodeBase64url(text), Buffer.from(bytes));
    }),
  );
});

test("of all endings only those whose unused bits are zero are canonical (RFC 4648 section 3.5)", () => {
  const last = (text: string) => ALPHABET.indexOf(text.at(-1)!);
  for (const end of ALPHABET) {
    assert.equal(isCanonicalBase64url(`A${end}`), last(end) % 16 === 0, `A${end}`);
    assert.equal(isCanonicalBase64url(`AA${end}`), last(end) % 4 === 0, `AA${end}`);
    assert.ok(isCanonicalBase64url(`AAA${end}`), `AAA${end}`);
    assert.ok(!isCanonicalBase64url(`AAAA${end}`), `AAAA${end} has an impossible length`);
  }
});

test("no character outside of the alphabet is let through, wherever it stands", () => {
  for (let code = 0; code < 0x180; code++) {
    const character = String.fromCharCode(code);
    if (ALPHABET.includes(character)) continue;
    for (const text of [`${character}AAA`, `A${character}AA`, `AAA${character}`, `AAAA${character}`]) {
      assert.ok(!isCanonicalBase64url(text), JSON.stringify(text));
      assert.equal(decodeBase64url(text), undefined);
    }
  }
  // The low bytes of these are letters of the alphabet.
  for (const alias of ["\u0141AAA", "A\u2141AA", "AAA\uff21", "\u{1f041}AA"]) {
    assert.ok(!isCanonicalBase64url(alias), JSON.stringify(alias));
  }
});

test("the empty text is the empty byte string", () => {
  assert.deepEqual(decodeBase64url(""), Buffer.alloc(0));
});
