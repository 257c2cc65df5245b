import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadSettings } from "../../src/config/load.ts";
import { SETTINGS } from "../../src/config/schema.ts";
import { faultOf, faultsOf, freshSecret, temporaryDirectory } from "./environments.ts";

test("any setting is read from the file that its _FILE variable names, less one line break", (context) => {
  const directory = temporaryDirectory(context);
  const path = join(directory, "value");
  const secret = freshSecret();
  for (const ending of ["", "\n", "\r\n"]) {
    writeFileSync(path, secret + ending);
    assert.equal(loadSettings({ KYROS_SECRET_FILE: path }).secret, secret);
  }
  writeFileSync(path, "warn\n");
  assert.equal(loadSettings({ KYROS_LOG_LEVEL_FILE: path }).logLevel, "warn");
  symlinkSync(path, join(directory, "link"));
  assert.equal(loadSettings({ KYROS_LOG_LEVEL_FILE: join(directory, "link") }).logLevel, "warn");
});

test("a wrong value in a file is a fault that says where it stood and not what it was", (context) => {
  const path = join(temporaryDirectory(context), "value");
  for (const content of [
    "canary\n\n",
    " canary",
    "can\0ary",
    "canary\nsecond line\n",
    "\ufeffinfo",
    "\n\n",
  ]) {
    writeFileSync(path, content);
    const [fault, ...others] = faultsOf({ KYROS_LOG_LEVEL_FILE: path });
    assert.equal(others.length, 0);
    assert.equal(fault?.variable, "KYROS_LOG_LEVEL");
    assert.match(fault?.fault ?? "", /\(read from KYROS_LOG_LEVEL_FILE\)$/);
    assert.doesNotMatch(JSON.stringify(fault), /canary/);
  }
});

test("a variable and its file together are a fault, whatever they hold", (context) => {
  const path = join(temporaryDirectory(context), "value");
  writeFileSync(path, "on");
  for (const [, { variable }] of SETTINGS) {
    for (const text of ["on", ""]) {
      const faults = faultsOf({ [variable]: text, [`${variable}_FILE`]: path });
      assert.deepEqual(faults, [
        {
          variable: `${variable}_FILE`,
          fault: `is set together with ${variable}`,
          allowed: "one of the two",
        },
      ]);
    }
  }
});

test("R26: a file that cannot give a value is a fault that names its path, for every setting", (context) => {
  const directory = temporaryDirectory(context);
  const empty = join(directory, "empty");
  const lineBreak = join(directory, "line-break");
  const large = join(directory, "large");
  const binary = join(directory, "binary");
  const pipe = join(directory, "pipe");
  const folder = join(directory, "folder");
  writeFileSync(empty, "");
  writeFileSync(lineBreak, "\n");
  writeFileSync(large, "x".repeat(65_537));
  writeFileSync(binary, Buffer.from([0x6f, 0x6e, 0xff]));
  execFileSync("mkfifo", [pipe]);
  mkdirSync(folder);
  const faults = [
    [join(directory, "missing"), /cannot be read \(ENOENT\)/],
    [join(empty, "below"), /cannot be read \(ENOTDIR\)/],
    [folder, /not a file/],
    [pipe, /not a file/],
    ["/dev/zero", /not a file/],
    [empty, /an empty file/],
    [lineBreak, /an empty file/],
    [large, /larger than 64 KiB/],
    [binary, /not UTF-8/],
  ] as const;
  for (const [, { variable }] of SETTINGS) {
    for (const [path, expected] of faults) {
      const [fault, ...others] = faultsOf({ [`${variable}_FILE`]: path });
      assert.equal(others.length, 0);
      assert.equal(fault?.variable, `${variable}_FILE`);
      assert.match(fault?.fault ?? "", expected);
      assert.ok(fault?.fault.endsWith(`: ${path}`), fault?.fault);
    }
  }
});

test("a path is printed on one line, and not at all where it may be the value itself", () => {
  const [newline] = faultsOf({ KYROS_SECRET_FILE: "/a\nKYROS is fine\u202e" });
  assert.ok(newline?.fault.endsWith(": /a\\u000aKYROS is fine\\u202e"), newline?.fault);
  for (const path of [
    freshSecret(),
    "/a\0b".repeat(20) + freshSecret(),
    "secret",
    "C:x",
    "/x/postgres://u:p@h/d",
  ]) {
    assert.match(faultsOf({ KYROS_SECRET_FILE: path })[0]!.fault, /not shown/);
  }
  assert.match(faultsOf({ KYROS_SECRET_FILE: "" })[0]!.fault, /^is empty$/);
});

test("R26: a faulty file never falls back to a default or to another check's silence", () => {
  const fault = faultOf(() =>
    loadSettings({ KYROS_ENV: "production", KYROS_SECRET_FILE: "/missing/secret" }),
  );
  assert.deepEqual(
    fault.faults.map(({ variable }) => variable),
    ["KYROS_SECRET_FILE"],
  );
});
