import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { generateSecret } from "../../src/crypto/keyring.ts";
import { systemRandom } from "../../src/kernel/random.ts";
import type { Kyros } from "./command.ts";
import { kyrosCommand } from "./command.ts";

let kyros: Kyros;
before(async () => {
  kyros = await kyrosCommand();
});
after(() => kyros.remove());

describe("kyros secret generate", () => {
  it("prints 64 bytes in base64url", async () => {
    const one = await kyros.run(["secret", "generate"]);
    assert.equal(one.exitCode, 0);
    assert.match(one.stdout, /^[A-Za-z0-9_-]{86}\n$/);
    assert.equal(Buffer.from(one.stdout.trim(), "base64url").length, 64);
  });
});

describe("kyros --version", () => {
  it("prints the package's version", async () => {
    const manifest = new URL("../../package.json", import.meta.url);
    const { version } = JSON.parse(await readFile(manifest, "utf8")) as { version: string };
    const printed = { exitCode: 0, stdout: `${version}\n`, stderr: "" };
    assert.deepEqual(await kyros.runAll([["--version"], ["-V"]]), [printed, printed]);
  });
});

describe("kyros migrate", () => {
  it("can run twice", async () => {
    const first = await kyros.run(["migrate", "--json"]);
    assert.equal(first.exitCode, 0, first.stderr);
    assert.ok((JSON.parse(first.stdout) as { applied: string[] }).applied.length > 0);
    const second = await kyros.run(["migrate"]);
    assert.equal(second.exitCode, 0, second.stderr);
    assert.equal(second.stdout, "The database is up to date.\n");
  });
});

describe("wrong settings", () => {
  it("R1, R26: stop the start in production without a secret, all of them named", async () => {
    const { exitCode, stdout, stderr } = await kyros.run(["serve"], {
      env: { KYROS_ENV: "production", KYROS_RATE_LIMIT: "many-hidden", KYROS_LOG_LEVEL: "hidden-level" },
    });
    assert.equal(exitCode, 2);
    assert.equal(stdout, "");
    for (const name of ["KYROS_SECRET", "KYROS_RATE_LIMIT", "KYROS_LOG_LEVEL"])
      assert.match(stderr, new RegExp(`^ {2}${name} .*; allowed: `, "m"));
    assert.doesNotMatch(stderr, /many-hidden|hidden-level|\n {4}at /);
  });
});

describe("KYROS_SECRET_FILE", () => {
  it("gives the secret, in production too", async () => {
    const path = join(kyros.dataDir, "given-secret");
    await writeFile(path, `${generateSecret(systemRandom)}\n`, { mode: 0o600 });
    const env = { KYROS_ENV: "production", KYROS_SECRET_FILE: path, KYROS_BCRYPT_COST: "12" };
    const { exitCode, stderr, stdout } = await kyros.run(["user", "list", "--json"], { env });
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), { items: [], next_cursor: null });
  });
});
