import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { resolveSecret } from "../../src/config/development-secret.ts";
import { loadSettings, readSettings } from "../../src/config/load.ts";
import { faultOf, freshSecret, temporaryDirectory } from "./environments.ts";

function never(): string {
  throw new Error("nothing may be generated here");
}

describe("the secret in development", () => {
  test("is made once and kept for its user alone", (context) => {
    const dataDir = join(temporaryDirectory(context), "deep", "data");
    const settings = loadSettings({ KYROS_DATA_DIR: dataDir });
    const secret = freshSecret();
    assert.equal(
      resolveSecret(settings, () => secret),
      secret,
    );
    assert.equal(resolveSecret(settings, never), secret);
    assert.equal(readFileSync(join(dataDir, "secret"), "utf8"), `${secret}\n`);
    assert.equal(statSync(dataDir).mode & 0o777, 0o700);
    assert.equal(statSync(join(dataDir, "..")).mode & 0o777, 0o700);
    assert.equal(statSync(join(dataDir, "secret")).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(dataDir), ["secret"]);
  });

  test("is the given one where there is one, and nothing is kept then", (context) => {
    const directory = temporaryDirectory(context);
    const secret = freshSecret();
    const settings = loadSettings({ KYROS_DATA_DIR: directory, KYROS_SECRET: secret });
    assert.equal(resolveSecret(settings, never), secret);
    assert.deepEqual(readdirSync(directory), []);
  });

  test("is one and the same for starts at the same time", async (context) => {
    const dataDir = join(temporaryDirectory(context), "data");
    const script = join(import.meta.dirname, "resolve-secret-process.ts");
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, [script, dataDir], { stdio: ["pipe", "pipe", "inherit"] }),
    );
    const firstBytes = children.map((child) => once(child.stdout, "readable"));
    await Promise.all(firstBytes);
    const outputs = children.map((child) => text(child.stdout));
    for (const child of children) child.stdin.end();
    const secrets = (await Promise.all(outputs)).map((output) => output.replace("ready\n", ""));
    assert.equal(new Set(secrets).size, 1);
    assert.equal(secrets[0], readFileSync(join(dataDir, "secret"), "utf8"));
    assert.deepEqual(readdirSync(dataDir), ["secret"]);
  });

  test("that another start kept first is the one that counts", (context) => {
    const dataDir = temporaryDirectory(context);
    const settings = loadSettings({ KYROS_DATA_DIR: dataDir });
    const first = freshSecret();
    const found = resolveSecret(settings, () => {
      writeFileSync(join(dataDir, "secret"), first, { mode: 0o600 });
      return freshSecret();
    });
    assert.equal(found, first);
    assert.deepEqual(readdirSync(dataDir), ["secret"]);
  });

  test("is never made in production and staging", (context) => {
    for (const environment of ["production", "staging"]) {
      const directory = temporaryDirectory(context);
      const settings = readSettings({ KYROS_ENV: environment, KYROS_DATA_DIR: directory });
      assert.match(faultOf(() => resolveSecret(settings, freshSecret)).message, /KYROS_SECRET is not set/);
      assert.deepEqual(readdirSync(directory), []);
    }
  });

  test("that is not valid is not kept", (context) => {
    const directory = temporaryDirectory(context);
    const settings = loadSettings({ KYROS_DATA_DIR: directory });
    assert.throws(() => resolveSecret(settings, () => "short"), TypeError);
    assert.deepEqual(readdirSync(directory), []);
  });
});

describe("R26: a kept secret is refused", () => {
  const refused = (dataDir: string, expected: RegExp) => {
    const { faults, message } = faultOf(() =>
      resolveSecret(loadSettings({ KYROS_DATA_DIR: dataDir }), freshSecret),
    );
    assert.equal(faults.length, 1);
    assert.equal(faults[0]?.variable, "KYROS_DATA_DIR");
    assert.match(message, expected);
    assert.ok(message.includes(dataDir), message);
  };

  for (const mode of [0o640, 0o604, 0o620, 0o602, 0o610, 0o644]) {
    test(`with mode ${mode.toString(8)}`, (context) => {
      const dataDir = temporaryDirectory(context);
      const path = join(dataDir, "secret");
      writeFileSync(path, freshSecret());
      chmodSync(path, mode);
      refused(dataDir, /others can read or write/);
    });
  }

  for (const [how, content] of [
    ["empty", ""],
    ["cut off", freshSecret().slice(0, 85)],
    ["too short", freshSecret().slice(0, 40)],
    ["followed by more", `${freshSecret()}\n\n`],
    ["doubled", `${freshSecret()}\n${freshSecret()}\n`],
    ["all zero", "\0".repeat(86)],
    ["huge", `${freshSecret()}\n`.repeat(100)],
  ] as const) {
    test(`that is ${how}`, (context) => {
      const dataDir = temporaryDirectory(context);
      writeFileSync(join(dataDir, "secret"), content, { mode: 0o600 });
      refused(dataDir, /is damaged/);
      assert.equal(readFileSync(join(dataDir, "secret"), "utf8"), content);
    });
  }

  test("that is a link or a directory", (context) => {
    const dataDir = temporaryDirectory(context);
    const elsewhere = join(temporaryDirectory(context), "file");
    writeFileSync(elsewhere, freshSecret(), { mode: 0o600 });
    symlinkSync(elsewhere, join(dataDir, "secret"));
    refused(dataDir, /cannot be read or made \(ELOOP\)/);
    const other = temporaryDirectory(context);
    mkdirSync(join(other, "secret"));
    refused(other, /is damaged/);
    const linked = temporaryDirectory(context);
    linkSync(elsewhere, join(linked, "secret"));
    assert.equal(
      resolveSecret(loadSettings({ KYROS_DATA_DIR: linked }), never),
      readFileSync(elsewhere, "utf8"),
    );
  });

  test("that belongs to another user", (context) => {
    if (process.geteuid?.() !== 0) return context.skip("only root can give a file away");
    const dataDir = temporaryDirectory(context);
    writeFileSync(join(dataDir, "secret"), freshSecret(), { mode: 0o600 });
    chownSync(join(dataDir, "secret"), 12_345, 12_345);
    refused(dataDir, /belongs to another user/);
  });

  test("in a directory that others can write to, or that is none", (context) => {
    const dataDir = temporaryDirectory(context);
    for (const mode of [0o777, 0o770, 0o722, 0o1777]) {
      chmodSync(dataDir, mode);
      refused(dataDir, /directory that others can write to/);
      assert.deepEqual(readdirSync(dataDir), []);
    }
    const file = join(temporaryDirectory(context), "file");
    writeFileSync(file, "");
    refused(file, /KYROS_DATA_DIR cannot be made \(EEXIST\)/);
    refused(join(file, "below"), /cannot be made \(ENOTDIR\)/);
  });

  test("in a directory that cannot be made, at once, whatever the file system says", (context) => {
    if (process.platform !== "linux") return context.skip("/proc and /sys are Linux's");
    const loop = join(temporaryDirectory(context), "loop");
    symlinkSync(loop, loop);
    refused(join(loop, "data"), /cannot be made \(ELOOP\)/);
    const dangling = join(temporaryDirectory(context), "dangling");
    symlinkSync(`${dangling}-target`, dangling);
    refused(dangling, /cannot be made \(EEXIST\)/);
    refused(join(dangling, "data"), /cannot be made \(EEXIST\)/);
    // It says that the entry is missing and not that it may not be made: over that, a recursive mkdir never ends.
    for (const path of ["/proc/kyros", "/proc/kyros/deep", "/proc/self/kyros"]) {
      refused(path, /cannot be made \(ENOENT\)/);
    }
    refused("/sys/kyros", /cannot be made \(E(PERM|ROFS|ACCES)\)/);
  });
});
