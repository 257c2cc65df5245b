import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import type { Kyros } from "./command.ts";
import { kyrosCommand } from "./command.ts";

describe("kyros audit", () => {
  let kyros: Kyros;
  let file: string;
  let checkpoint: string;
  before(async () => {
    kyros = await kyrosCommand();
    file = join(kyros.dataDir, "trail.jsonl");
    checkpoint = join(kyros.dataDir, "checkpoint");
    const [, , , exported, stated] = await allOk(
      ["user", "create", "alice"],
      ["user", "create", "bob"],
      ["user", "disable", "bob"],
      ["audit", "export"],
      ["audit", "checkpoint"],
    );
    writeFileSync(file, exported!);
    writeFileSync(checkpoint, stated!);
  });
  after(() => kyros.remove());

  async function ok(args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await kyros.run(args);
    assert.equal(exitCode, 0, stderr);
    return stdout;
  }
  async function allOk(...commands: readonly (readonly string[])[]): Promise<readonly string[]> {
    const all = await kyros.runAll(commands);
    for (const { exitCode, stderr } of all) assert.equal(exitCode, 0, stderr);
    return all.map(({ stdout }) => stdout);
  }
  async function broken(args: readonly string[]): Promise<string> {
    const { exitCode, stdout } = await kyros.run(args);
    assert.equal(exitCode, 1, stdout);
    return stdout;
  }
  let files = 0;
  const rewrite = (change: (lines: string[]) => string[]) => {
    files += 1;
    const changed = join(kyros.dataDir, `changed${files}.jsonl`);
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    writeFileSync(changed, `${change(lines).join("\n")}\n`);
    return changed;
  };

  it("finds the trail of commands whole, in the database and in an export, with and without the secret", async () => {
    const [inDatabase, inFile] = await allOk(
      ["audit", "verify", "--checkpoint", checkpoint],
      ["audit", "verify", "--file", file, "--checkpoint", checkpoint],
    );
    assert.match(inDatabase!, /^whole: 3 entries, the last is 3 with/);
    assert.match(inFile!, /^whole: 3 entries/);
    const { public_key: key } = JSON.parse(readFileSync(checkpoint, "utf8"));
    const { exitCode, stdout } = await kyros.run(
      ["audit", "verify", "--file", file, "--public-key", key, "--json"],
      {
        env: { KYROS_DATA_DIR: join(kyros.dataDir, "elsewhere") },
      },
    );
    assert.equal(exitCode, 0);
    assert.equal(JSON.parse(stdout).whole, true);
    const other = "A".repeat(43);
    assert.match(
      await broken(["audit", "verify", "--file", file, "--public-key", other]),
      /not signed by a known key/,
    );
  });

  it("names the first bad entry of a file that was changed", async () => {
    const alter = (lines: string[]) => lines.with(1, lines[1]!.replace("success", "failure"));
    const cases: readonly [change: (lines: string[]) => string[], finding: RegExp][] = [
      [alter, /^broken at entry 2 \(altered\)/],
      [(lines) => lines.with(1, "{}"), /^broken at entry 2 /],
      [(lines) => lines.toSpliced(1, 1), /^broken at entry 2 \(missing\)/],
      [([a, b, c, d]) => [b!, a!, c!, d!], /^broken at entry 1 \(swapped\)/],
      [(lines) => lines.slice(0, -1), /^broken at entry 4 \(truncated\)/],
      [(lines) => lines.toSpliced(2, 1), /^broken at entry 3 \(truncated\)/],
      [() => [], /^broken at entry 1 \(/],
      [(lines) => [...lines, lines[0]!], /after the closing checkpoint/],
    ];
    const all = await kyros.runAll(cases.map(([change]) => ["audit", "verify", "--file", rewrite(change)]));
    for (const [at, { exitCode, stdout }] of all.entries()) {
      assert.equal(exitCode, 1, stdout);
      assert.match(stdout, cases[at]![1]);
    }
  });

  it("lists newest first, by filters", async () => {
    const [all, some, none, one, since] = (await allOk(
      ["audit", "list"],
      ["audit", "list", "--user", "bob", "--type", "user.disabled", "--json"],
      ["audit", "list", "--to", "2000-01-01T00:00:00Z"],
      ["audit", "list", "--limit", "1"],
      ["audit", "list", "--from", "2024-02-29"],
    )) as [string, string, string, string, string];
    const rows = all.trimEnd().split("\n");
    assert.deepEqual(
      rows.map((row) => row.split("\t")[1]),
      ["user.disabled", "user.created", "user.created"],
    );
    const { items } = JSON.parse(some);
    assert.equal(items.length, 1);
    assert.deepEqual(items[0].actor, { kind: "operator", id: null, name: null });
    assert.equal(none, "");
    assert.equal(one.trimEnd().split("\n").length, 1);
    assert.equal(since, all, "a day begins at midnight, UTC");
  });

  it("refuses wrong usage in one line", async () => {
    const wrong = [
      ["list", "--type", "nonsense"],
      ["list", "--from", "yesterday"],
      ["list", "--from", "2026-02-30"],
      ["list", "--to", "2026-01-31T12:00:00"],
      ["list", "--limit", "0"],
      ["export", "--format", "xml"],
      ["verify", "--file", "nowhere"],
      ["verify", "--checkpoint", "nowhere"],
      ["verify", "--public-key", "short"],
      ["verify", "extra"],
      ["nonsense"],
    ];
    const refused = await kyros.runAll(wrong.map((args) => ["audit", ...args]));
    for (const [at, { exitCode, stderr, stdout }] of refused.entries()) {
      assert.equal(exitCode, 2, `${wrong[at]}: ${stderr}`);
      assert.equal(stdout, "");
      assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
    }
    const commands = ["verify", "list", "export", "checkpoint"];
    const helps = await allOk(...commands.map((name) => ["audit", name, "--help"]));
    for (const [at, help] of helps.entries()) {
      assert.match(help, new RegExp(`Usage: kyros audit ${commands[at]}`));
    }
  });

  it("finds what was done to the database itself", async () => {
    const database = new DatabaseSync(join(kyros.dataDir, "kyros.db"));
    const restore = "update audit_entries set subject = ? where seq = 2";
    const before = database.prepare("select subject from audit_entries where seq = 2").get()![
      "subject"
    ] as string;
    database.prepare(restore).run("somebody else");
    assert.match(
      await broken(["audit", "verify"]),
      /^broken at entry 2 \(altered\): entry 2 does not match its hash/,
    );
    database.prepare(restore).run(before);
    assert.match(await ok(["audit", "verify"]), /^whole/);
    const head = database.prepare("select hash from audit_entries where seq = 2").get()!["hash"] as string;
    database.exec("delete from audit_entries where seq = 3");
    assert.match(await broken(["audit", "verify"]), /^broken at entry 3 \(truncated\)/);
    database.prepare("update audit_head set seq = 2, hash = ?").run(head);
    assert.match(await ok(["audit", "verify"]), /^whole: 2 entries/);
    assert.match(
      await broken(["audit", "verify", "--checkpoint", checkpoint]),
      /^broken at entry 3 \(truncated\)/,
    );
    database.close();
  });
});
