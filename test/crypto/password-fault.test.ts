import assert from "node:assert/strict";
import { test } from "node:test";
import { dictionary } from "@zxcvbn-ts/language-common";
import { passwordFault } from "../../src/crypto/password.ts";

test("takes 8 to 128 characters of any kind, counted as people count them", () => {
  for (const password of [
    "kq7zv2mx",
    "        ",
    "\u{1f600}".repeat(8),
    "\u{1f600}".repeat(128),
    "é".repeat(128),
    "x\0\n\t\u202e\ufeffyz",
    "correct horse battery staple",
  ]) {
    assert.equal(passwordFault(password), undefined, JSON.stringify(password));
  }
});

test("refuses what is too short or too long", () => {
  for (const short of ["", "kq7zv2m", "\u{1f600}".repeat(7), "\u{1f468}\u200d\u{1f469}\u200d\u{1f467}"]) {
    assert.match(passwordFault(short) ?? "", /at least 8/, JSON.stringify(short));
  }
  for (const long of ["ab".repeat(64).concat("c"), "\u{1f600}".repeat(129), "x".repeat(1 << 20)]) {
    assert.match(passwordFault(long) ?? "", /at most 128/);
  }
});

test("R13: refuses lone surrogates, whatever the length", () => {
  for (const text of ["\ud800", "kq7zv2mx\udc00", "\ude00\ud83d".repeat(8)]) {
    assert.match(passwordFault(text) ?? "", /lone surrogate/);
  }
});

test("refuses common passwords in any case (ASVS V6.2.4)", () => {
  for (const common of [
    "password",
    "Password",
    "PASSWORD1",
    "12345678",
    "qwertyuiop",
    "iloveyou",
    "TrustNo1",
  ]) {
    assert.match(passwordFault(common) ?? "", /common/, common);
  }
});

test("refuses each entry of the list that is long enough, and there are more than 10,000", () => {
  const entries = dictionary["passwords-common"].filter((entry) => entry.length >= 8);
  assert.ok(entries.length >= 10_000, `${entries.length}`);
  for (const entry of entries) assert.ok(passwordFault(entry), entry);
});

test("never shows the password", () => {
  for (const password of ["short", "password", "\ud800secret", `secret${"x".repeat(200)}`]) {
    const fault = passwordFault(password);
    assert.ok(fault !== undefined && !fault.includes("secret") && !fault.includes("short\n"));
  }
});
