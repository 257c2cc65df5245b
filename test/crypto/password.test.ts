import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { mock, test } from "node:test";
import bcrypt from "bcrypt";
import { createPasswords } from "../../src/crypto/password.ts";
import { Refusal } from "../../src/kernel/failure.ts";

const passwords = createPasswords({ cost: 4 });
const WRONG = { ok: false, needsUpgrade: false };
const RIGHT = { ok: true, needsUpgrade: false };

test("verifies the password that was hashed, exactly as it was, and no other", async () => {
  const stored = await passwords.hash("correct horse");
  assert.deepEqual(await passwords.verify("correct horse", stored), RIGHT);
  for (const other of [
    "Correct horse",
    "correct horse ",
    " correct horse",
    "correct hors",
    "",
    "correct\0horse",
  ]) {
    assert.deepEqual(await passwords.verify(other, stored), WRONG, JSON.stringify(other));
  }
});

test("the stored form is documented: a prefix, then bcrypt over base64 of a keyed SHA-384", async () => {
  const stored = await passwords.hash("pässword\0\u{1f600}");
  assert.match(stored, /^\$kyros1\$2b\$04\$[./A-Za-z0-9]{53}$/);
  const prehash = createHmac("sha384", "kyros/password/HMAC-SHA-384")
    .update("pässword\0\u{1f600}")
    .digest("base64");
  assert.equal(prehash.length, 64);
  assert.ok(await bcrypt.compare(prehash, stored.slice("$kyros1".length)));
});

test("the same password is never stored the same twice", async () => {
  assert.notEqual(await passwords.hash("correct horse"), await passwords.hash("correct horse"));
});

test("R12: all of a long password counts, beyond the 72 bytes that bcrypt reads", async () => {
  const pairs = [
    ["a".repeat(72), "a".repeat(73)],
    [`${"a".repeat(72)}x`, `${"a".repeat(72)}y`],
    [`${"€".repeat(25)}x`, `${"€".repeat(25)}y`],
    [`${"a".repeat(127)}x`, `${"a".repeat(127)}y`],
    ["a".repeat(255), "a".repeat(256)],
    ["", "a".repeat(255)],
  ] as const;
  for (const [one, other] of pairs) {
    const stored = await passwords.hash(one);
    assert.deepEqual(await passwords.verify(one, stored), RIGHT);
    assert.deepEqual(await passwords.verify(other, stored), WRONG);
  }
});

test("a NUL is a character like any other", async () => {
  const stored = await passwords.hash("abc\0abc");
  assert.deepEqual(await passwords.verify("abc\0abc", stored), RIGHT);
  for (const other of ["abc", "abc\0", "abc\0abc\0abc", "abc\0abd"]) {
    assert.deepEqual(await passwords.verify(other, stored), WRONG);
  }
});

test("characters that look alike are not alike: nothing is normalised", async () => {
  const stored = await passwords.hash("caf\u00e9 caf\u00e9");
  assert.deepEqual(await passwords.verify("cafe\u0301 cafe\u0301", stored), WRONG);
});

test("R13: ill-formed UTF-16, which encodes like U+FFFD, is refused before anything is hashed", async () => {
  const stored = await passwords.hash("pass\ufffdword");
  const refused = (error: unknown) =>
    error instanceof Refusal &&
    error.problem.code === "validation_failed" &&
    error.problem.errors?.[0]?.field === "password" &&
    !error.message.includes("pass\ud800");
  for (const password of ["pass\ud800word", "pass\udc00word", "\ude00\ud83d"]) {
    await assert.rejects(passwords.hash(password), refused);
    for (const hash of [stored, null, "malformed"])
      await assert.rejects(passwords.verify(password, hash), refused);
  }
  assert.deepEqual(await passwords.verify("pass\ufffdword", stored), RIGHT);
});

test("a hash stolen elsewhere is no password here, nor ours there", async () => {
  const leaked = createHash("sha384").update("correct horse").digest("base64");
  const stored = await passwords.hash("correct horse");
  const bare = stored.slice("$kyros1".length);
  assert.ok(!(await bcrypt.compare(leaked, bare)));
  assert.ok(!(await bcrypt.compare("correct horse", bare)));
  assert.deepEqual(await passwords.verify("correct horse", bare), WRONG);
  const imported = await bcrypt.hash("correct horse", 4);
  assert.deepEqual(await passwords.verify("correct horse", `$kyros1${imported}`), WRONG);
});

test("a right password for a hash of lower cost asks for an upgrade, one of higher cost does not", async () => {
  const lower = await passwords.hash("correct horse");
  const stronger = createPasswords({ cost: 5 });
  const higher = await stronger.hash("correct horse");
  assert.deepEqual(await stronger.verify("correct horse", lower), { ok: true, needsUpgrade: true });
  assert.deepEqual(await stronger.verify("wrong horse", lower), WRONG);
  assert.deepEqual(await createPasswords({ cost: 4 }).verify("correct horse", higher), RIGHT);
});

test("a stored text that is no hash of ours matches nothing, and is never computed", async () => {
  const compare = mock.method(bcrypt, "compare");
  try {
    const body = ".".repeat(53);
    const malformed = [
      ...["", "!", "*", "$", "correct horse", "$kyros1", "$kyros2$2b$04$", "x".repeat(100_000)],
      ...["00", "03", "17", "20", "31", "32", "99", "4", "-1", "1e", "0x"].map(
        (cost) => `$2b$${cost}$${body}`,
      ),
      ...["00", "03", "17", "31", "99"].map((cost) => `$kyros1$2b$${cost}$${body}`),
      ...["$2$", "$2x$", "$2c$", "$1$", "$2B$"].map((version) => `${version}04$${body}`),
      `$2b$04$${body}.`,
      `$2b$04$${body.slice(1)}`,
      `$2b$04$${body}\n`,
      `\n$2b$04$${body}`,
      `$2b$04$${body.slice(1)}$`,
      `$kyros1$kyros1$2b$04$${body}`,
    ];
    for (const stored of malformed) {
      compare.mock.resetCalls();
      assert.deepEqual(await passwords.verify("correct horse", stored), WRONG);
      assert.equal(compare.mock.callCount(), 1);
      assert.match(compare.mock.calls[0]!.arguments[1] as string, /^\$2b\$04\$/, stored.slice(0, 80));
    }
  } finally {
    compare.mock.restore();
  }
});

test("nobody matches an unknown user, not even with what it is compared against", async () => {
  for (const password of ["", "correct horse", ".".repeat(53)]) {
    assert.deepEqual(await passwords.verify(password, null), WRONG);
  }
});

test("unknown user, unreadable hash and wrong password cost the same work, whatever the hash's cost", async () => {
  const strong = createPasswords({ cost: 7 });
  const own = await strong.hash("correct horse");
  const lower = await passwords.hash("correct horse");
  const imported = await bcrypt.hash("correct horse", 5);
  const compare = mock.method(bcrypt, "compare");
  try {
    for (const stored of [null, "", own, lower, imported, imported.replace("$2b$", "$2y$")]) {
      compare.mock.resetCalls();
      assert.deepEqual(await strong.verify("wrong horse", stored), WRONG);
      const rounds = compare.mock.calls.map(
        ({ arguments: [, hash] }) => 2 ** Number((hash as string).slice(4, 6)),
      );
      assert.equal(
        rounds.reduce((sum, n) => sum + n, 0),
        2 ** 7,
        String(stored),
      );
    }
  } finally {
    compare.mock.restore();
  }
});

test("once a hash of higher cost is met, a wrong password costs as much for everybody", async () => {
  const weak = createPasswords({ cost: 4 });
  const own = await weak.hash("correct horse");
  const higher = await createPasswords({ cost: 7 }).hash("correct horse");
  const imported = await bcrypt.hash("correct horse", 6);
  const compare = mock.method(bcrypt, "compare");
  const work = async (password: string, stored: string | null) => {
    compare.mock.resetCalls();
    await weak.verify(password, stored);
    return compare.mock.calls.reduce(
      (sum, { arguments: [, hash] }) => sum + 2 ** Number((hash as string).slice(4, 6)),
      0,
    );
  };
  try {
    assert.equal(await work("wrong horse", null), 2 ** 4);
    assert.equal(await work("correct horse", higher), 2 ** 7);
    for (const stored of [null, "", own, imported, higher]) {
      assert.equal(await work("wrong horse", stored), 2 ** 7, String(stored));
    }
    assert.equal(await work("correct horse", own), 2 ** 4);
    // What would never be computed raises nothing.
    await work("wrong horse", own.replace("$04$", "$17$"));
    assert.equal(await work("wrong horse", null), 2 ** 7);
  } finally {
    compare.mock.restore();
  }
});

test("refuses costs outside of 4 to 16", () => {
  for (const cost of [0, 3, 17, 31, 4.5, Number.NaN, -4]) {
    assert.throws(() => createPasswords({ cost }), RangeError);
  }
});
