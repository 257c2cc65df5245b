import assert from "node:assert/strict";
import { test } from "node:test";
import { createJws, MAX_TOKEN_LENGTH } from "../../src/crypto/jws.ts";
import { deriveJwsKeys } from "../../src/crypto/jws-key.ts";
import { openKeyring } from "../../src/crypto/keyring.ts";
import { forge, resign, segment } from "./forge.ts";
import { secretFor } from "./secrets.ts";

const keyring = openKeyring({ current: secretFor("one"), previous: [secretFor("two")] });
const key = keyring.derive("kyros/access-token/HS512", 64);
const keys = deriveJwsKeys(keyring, "kyros/access-token", "HS512");
const jws = createJws(keys, "at+jwt");
const PAYLOAD = '{"sub":"someone"}';
const token = jws.sign(PAYLOAD);
const [head, payload, signature] = token.split(".") as [string, string, string];
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

function refusal(text: string): string {
  const outcome = jws.verify(text);
  assert.equal(outcome.kind, "refused", text.slice(0, 300));
  return outcome.kind === "refused" ? outcome.cause : "";
}

test("the header is written as documented", () => {
  assert.equal(
    Buffer.from(head, "base64url").toString(),
    `{"alg":"HS512","typ":"at+jwt","kid":"${keys[0].kid}"}`,
  );
  assert.match(keys[0].kid, /^[\w-]{11}$/);
  assert.deepEqual(jws.verify(token), { kind: "verified", payload: PAYLOAD });
  assert.equal(forge(key, { alg: "HS512", typ: "at+jwt", kid: keys[0].kid }, PAYLOAD), token);
});

test("R11: all other endings that decode to the same signature are refused", () => {
  const bytes = Buffer.from(signature, "base64url");
  const alternatives = [...ALPHABET]
    .map((end) => signature.slice(0, -1) + end)
    .filter((text) => text !== signature && Buffer.from(text, "base64url").equals(bytes));
  assert.equal(alternatives.length, 15);
  for (const text of alternatives) {
    assert.equal(refusal(`${head}.${payload}.${text}`), "not canonical base64url");
  }
});

test("other spellings of the same bytes are refused in each segment, even where they are what was signed", () => {
  const spellings = (text: string) => [
    `${text}=`,
    `${text}==`,
    ` ${text}`,
    `${text} `,
    `${text}\n`,
    `${text}\0`,
    `${text.slice(0, 4)}\r\n${text.slice(4)}`,
    `${text.slice(0, 4)}%${text.slice(4)}`,
    `\ufeff${text}`,
    text.slice(0, -1) + String.fromCharCode(text.charCodeAt(text.length - 1) + 0x100),
  ];
  for (const text of spellings(head)) {
    refusal(`${text}.${payload}.${signature}`);
    refusal(resign(key, `${text}.${payload}`));
  }
  for (const text of spellings(payload)) {
    refusal(`${head}.${text}.${signature}`);
    refusal(resign(key, `${head}.${text}`));
  }
  for (const text of spellings(signature)) refusal(`${head}.${payload}.${text}`);
});

test("a payload or header with stray bits in its last character is refused though signed", () => {
  const stray = (text: string) => text.slice(0, -1) + ALPHABET[ALPHABET.indexOf(text.at(-1)!) + 1];
  for (const odd of ["{}", '{"a":1}\n ', '{"a":12}']) {
    const text = segment(odd);
    if (text.length % 4 === 0) continue;
    assert.equal(refusal(resign(key, `${head}.${stray(text)}`)), "not canonical base64url");
  }
  const header = segment('{"alg":"HS512","typ":"at+jwt"} ');
  assert.notEqual(header.length % 4, 0);
  assert.equal(refusal(resign(key, `${stray(header)}.${payload}`)), "header is not a JSON object");
});

test("the signature is compared in its bytes: base64 with + and / is none", () => {
  for (let i = 0; ; i++) {
    const text = jws.sign(`{"n":${i}}`);
    const mac = text.slice(text.lastIndexOf(".") + 1);
    if (!/[-_]/.test(mac)) continue;
    const other = mac.replaceAll("-", "+").replaceAll("_", "/");
    assert.equal(refusal(text.slice(0, -mac.length) + other), "not canonical base64url");
    return;
  }
});

const SHAPES: readonly (readonly [string, string])[] = [
  ["empty", ""],
  ["one dot", "."],
  ["two dots", ".."],
  ["three dots", "..."],
  ["no dot", head],
  ["two segments", `${head}.${payload}`],
  ["no signature", `${head}.${payload}.`],
  ["no payload", resign(key, `${head}.`)],
  ["no header", resign(key, `.${payload}`)],
  ["four segments", `${token}.${signature}`],
  ["a dot at the end", `${token}.`],
  ["a dot before", `.${token}`],
  ["five segments, like JWE", `${head}.${payload}.${signature}.${payload}.${signature}`],
  ["a truncated signature", token.slice(0, -1)],
  ["a signature cut to whole bytes", token.slice(0, -2)],
  ["half a signature", `${head}.${payload}.${signature.slice(0, 43)}`],
  ["a longer signature", `${token}AAAA`],
  ["a signature twice", `${token}${signature}`],
  ["upper case", token.toUpperCase()],
  ["with its scheme", `Bearer ${token}`],
  ["quoted", `"${token}"`],
  ["JSON serialization", JSON.stringify({ protected: head, payload, signature })],
  ["5,000 dots", ".".repeat(5000)],
  ["4,000 dots", ".".repeat(4000)],
  ["a header of 4,000 dots", `${head}.${payload}${".".repeat(3000)}${signature}`],
  ["a megabyte", "A".repeat(1 << 20)],
  ["a megabyte that is signed", forge(key, { alg: "HS512", typ: "at+jwt" }, "x".repeat(1 << 20))],
];

for (const [what, text] of SHAPES) {
  test(`refuses ${what}`, () => {
    const cause = refusal(text);
    assert.ok(cause.length > 0 && cause.length < 60);
  });
}

test("R9: more segments than three are not even decoded", () => {
  for (const text of [`${token}.`, `${token}.${signature}`, `${head}.${payload}${".".repeat(3000)}`]) {
    assert.equal(refusal(text), "not three segments");
  }
});

test("every truncation and every extension by a character is refused", () => {
  for (let length = 0; length < token.length; length++) refusal(token.slice(0, length));
  for (const character of [...ALPHABET, ".", " ", "="]) {
    refusal(token + character);
    refusal(character + token);
  }
});

test("R9: the length limit is exact", () => {
  const fitting = "x".repeat(((MAX_TOKEN_LENGTH - token.length + payload.length) >> 2) * 3);
  const longest = jws.sign(fitting);
  assert.ok(longest.length > MAX_TOKEN_LENGTH - 4 && longest.length <= MAX_TOKEN_LENGTH);
  assert.equal(jws.verify(longest).kind, "verified");
  assert.equal(refusal(jws.sign(`${fitting}xxx`)), "too long");
});

test("a payload that is not UTF-8 is refused though signed", () => {
  const bytes = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]).toString("base64url");
  assert.equal(refusal(resign(key, `${head}.${bytes}`)), "payload is not UTF-8");
});

test("a payload in UTF-8 comes back as it went in", () => {
  const text = '{"a":"\u{1f600} é \ud7ff"}';
  assert.deepEqual(jws.verify(jws.sign(text)), { kind: "verified", payload: text });
});
