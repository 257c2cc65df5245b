import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Kyros } from "./command.ts";
import { kyrosCommand } from "./command.ts";

let kyros: Kyros;
before(async () => {
  kyros = await kyrosCommand();
});
after(() => kyros.remove());

describe("kyros secret generate", () => {
  it("prints 64 bytes in base64url, never the same", async () => {
    const [one, other] = await Promise.all([
      kyros.run(["secret", "generate"]),
      kyros.run(["secret", "generate"]),
    ]);
    assert.equal(one.exitCode, 0);
    assert.match(one.stdout, /^[A-Za-z0-9_-]{86}\n$/);
    assert.equal(Buffer.from(one.stdout.trim(), "base64url").length, 64);
    assert.notEqual(one.stdout, other.stdout);
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

  it("can run from three instances at once", async () => {
    const fresh = await kyrosCommand();
    try {
      const all = await Promise.all([1, 2, 3].map(() => fresh.run(["migrate", "--json"])));
      for (const { exitCode, stderr } of all) assert.equal(exitCode, 0, stderr);
      const applied = all.flatMap(({ stdout }) => (JSON.parse(stdout) as { applied: string[] }).applied);
      assert.ok(applied.length > 0);
      assert.equal(new Set(applied).size, applied.length, "each migration is applied by one of them");
    } finally {
      await fresh.remove();
    }
  });
});

describe("wrong settings", () => {
  it("stop the start in production without a secret, all of them named", async () => {
    const { exitCode, stdout, stderr } = await kyros.run(["serve"], {
      env: { KYROS_ENV: "production", KYROS_RATE_LIMIT: "many-hidden", KYROS_LOG_LEVEL: "hidden-level" },
    });
    assert.equal(exitCode, 2);
    assert.equal(stdout, "");
    for (const name of ["KYROS_SECRET", "KYROS_RATE_LIMIT", "KYROS_LOG_LEVEL"])
      assert.match(stderr, new RegExp(`^ {2}${name} .*; allowed: `, "m"));
    assert.doesNotMatch(stderr, /many-hidden|hidden-level|\n {4}at /);
  });

  it("are named without their value, also where the value is a secret", async () => {
    const { exitCode, stderr } = await kyros.run(["migrate"], { env: { KYROS_SECRET: "too-short-to-tell" } });
    assert.equal(exitCode, 2);
    assert.match(stderr, /KYROS_SECRET /);
    assert.ok(!stderr.includes("too-short-to-tell"));
  });
});

describe("KYROS_SECRET_FILE", () => {
  it("gives the secret, in production too", async () => {
    const path = join(kyros.dataDir, "given-secret");
    const { stdout: secret } = await kyros.run(["secret", "generate"]);
    await writeFile(path, secret, { mode: 0o600 });
    const env = { KYROS_ENV: "production", KYROS_SECRET_FILE: path, KYROS_BCRYPT_COST: "12" };
    const { exitCode, stderr, stdout } = await kyros.run(["user", "list", "--json"], { env });
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), { items: [], next_cursor: null });
  });

  it("is a fault that names it where the file is not there", async () => {
    const env = { KYROS_SECRET_FILE: join(kyros.dataDir, "no-such-file") };
    const { exitCode, stderr } = await kyros.run(["user", "list"], { env });
    assert.equal(exitCode, 2);
    assert.match(stderr, /KYROS_SECRET_FILE /);
  });
});
