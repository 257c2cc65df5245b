import assert from "node:assert/strict";
import { test } from "node:test";
import bcrypt from "bcrypt";
import { createPasswords } from "../../src/crypto/password.ts";

const passwords = createPasswords({ cost: 4 });
const WRONG = { ok: false, needsUpgrade: false };
const UPGRADE = { ok: true, needsUpgrade: true };

/** Values of the Openwall test suite whose passwords are text. */
const OPENWALL = [
  ["U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"],
  ["U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"],
  ["U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"],
  ["", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"],
  ["U*U*U", "$2b$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"],
  [
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored",
    "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
  ],
] as const;

test("imported hashes verify by the password itself, under each name of the algorithm, and ask for an upgrade", async () => {
  for (const [password, hash] of OPENWALL) {
    for (const version of ["$2a$", "$2b$", "$2y$"]) {
      const stored = version + hash.slice(4);
      assert.deepEqual(await passwords.verify(password, stored), UPGRADE, stored);
      assert.deepEqual(await passwords.verify(`x${password}`, stored), WRONG, stored);
    }
  }
});

test("the variant of 2011 with the sign bug is no imported hash", async () => {
  const [password, hash] = OPENWALL[0];
  assert.deepEqual(await passwords.verify(password, `$2x$${hash.slice(4)}`), WRONG);
});

test("of an imported hash 72 bytes count, as they did where it was made; of the upgraded one all do", async () => {
  const password = `${"a".repeat(72)}x`;
  const other = `${"a".repeat(72)}y`;
  const imported = await bcrypt.hash(password, 4);
  assert.deepEqual(await passwords.verify(password, imported), UPGRADE);
  assert.deepEqual(await passwords.verify(other, imported), UPGRADE);
  assert.deepEqual(await passwords.verify("a".repeat(71), imported), WRONG);
  const upgraded = await passwords.hash(password);
  assert.deepEqual(await passwords.verify(password, upgraded), { ok: true, needsUpgrade: false });
  assert.deepEqual(await passwords.verify(other, upgraded), WRONG);
});

test("a repetition with a NUL between, the same key to bcrypt, is another password", async () => {
  for (const password of ["abc", ""]) {
    const imported = await bcrypt.hash(password, 4);
    const repeated = `${password}\0${password}`;
    assert.ok(await bcrypt.compare(repeated, imported), "bcrypt itself takes it");
    assert.deepEqual(await passwords.verify(repeated, imported), WRONG);
    assert.deepEqual(await passwords.verify(password, imported), UPGRADE);
  }
});

test("the length of a password does not wrap under the name 2a", async () => {
  // Under 2a our bcrypt counts lengths modulo 256, so that of this password a single byte would be left.
  const imported = (await bcrypt.hash("a", 4)).replace("$2b$", "$2a$");
  for (const length of [255, 256, 257, 258, 511, 512]) {
    assert.deepEqual(await passwords.verify("a".repeat(length), imported), WRONG, `${length}`);
  }
  assert.deepEqual(await passwords.verify("a", imported), UPGRADE);
  const long = (await bcrypt.hash("b".repeat(300), 4)).replace("$2b$", "$2a$");
  assert.deepEqual(await passwords.verify("b".repeat(300), long), UPGRADE);
});
