import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeBase32, matchTotp, totpCode, totpStepAt, totpUri } from "../../src/crypto/totp.ts";

/** The shared secret of RFC 4226 appendix D and of the SHA-1 rows of RFC 6238 appendix B. */
const SECRET = Buffer.from("12345678901234567890");

describe("one-time codes by time", () => {
  it("are those of RFC 4226 appendix D", () => {
    const codes = [
      "755224",
      "287082",
      "359152",
      "969429",
      "338314",
      "254676",
      "287922",
      "162583",
      "399871",
      "520489",
    ];
    for (const [count, code] of codes.entries()) assert.equal(totpCode(SECRET, count), code);
  });

  it("are those of RFC 6238 appendix B, whose eight digits end in our six", () => {
    const rows: readonly [seconds: number, code: string][] = [
      [59, "94287082"],
      [1_111_111_109, "07081804"],
      [1_111_111_111, "14050471"],
      [1_234_567_890, "89005924"],
      [2_000_000_000, "69279037"],
      [20_000_000_000, "65353130"],
    ];
    for (const [seconds, code] of rows) {
      assert.equal(totpCode(SECRET, totpStepAt(seconds * 1000)), code.slice(2), `${seconds}`);
    }
  });

  it("R30: count in their step and one either way, and in no other", () => {
    const atMs = 1_800_000_000_000;
    const step = totpStepAt(atMs);
    for (const offset of [-1, 0, 1]) {
      assert.equal(matchTotp(SECRET, totpCode(SECRET, step + offset), atMs), step + offset, `${offset}`);
    }
    for (const offset of [-3, -2, 2, 3]) {
      assert.equal(matchTotp(SECRET, totpCode(SECRET, step + offset), atMs), undefined, `${offset}`);
    }
    assert.equal(matchTotp(SECRET, totpCode(SECRET, 0), 0), 0);
  });

  it("are six digits and nothing like them", () => {
    const atMs = 1_800_000_000_000;
    const code = totpCode(SECRET, totpStepAt(atMs));
    const others = ["", "0", code.slice(1), `${code}0`, `0${code}`, ` ${code}`, `${code}\n`, "１２３４５６"];
    for (const other of others)
      assert.equal(matchTotp(SECRET, other, atMs), undefined, JSON.stringify(other));
  });

  it("are handed to apps in a URI whose names cannot end its label or add a parameter", () => {
    assert.equal(
      totpUri(Buffer.from("foobar"), "Example & Co", "zoë:/?#@x"),
      "otpauth://totp/Example%20%26%20Co:zo%C3%AB%3A%2F%3F%23%40x?secret=MZXW6YTBOI" +
        "&issuer=Example%20%26%20Co&algorithm=SHA1&digits=6&period=30",
    );
  });
});

it("base32 is that of RFC 4648 section 10, without its padding", () => {
  const rows = [
    ["", ""],
    ["f", "MY"],
    ["fo", "MZXQ"],
    ["foo", "MZXW6"],
    ["foob", "MZXW6YQ"],
    ["fooba", "MZXW6YTB"],
    ["foobar", "MZXW6YTBOI"],
  ] as const;
  for (const [text, encoded] of rows) assert.equal(encodeBase32(Buffer.from(text)), encoded);
});
