import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openStores } from "../../src/stores/open.ts";
import { samplePasskey } from "../../src/testing/factor-samples.ts";
import { lockName, lockoutsOf } from "../service/lock-name.ts";
import type { Kyros } from "./command.ts";
import { kyrosCommand } from "./command.ts";

const PASSWORD = "correct horse battery staple";

describe("kyros user", () => {
  let kyros: Kyros;
  before(async () => {
    kyros = await kyrosCommand();
    const { exitCode, stdout, stderr } = await kyros.run(
      ["user", "create", "root", "--role", "admin", "--email", "root@example.org", "--password-stdin"],
      { input: `${PASSWORD}\n` },
    );
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout, "created root (admin)\n");
    assert.ok(!stderr.includes(PASSWORD));
  });
  after(() => kyros.remove());

  it("prints a generated password once, and never one that it was given", async () => {
    const generated = await kyros.run(["user", "create", "Bob"]);
    assert.equal(generated.exitCode, 0, generated.stderr);
    const password = /^created Bob \(user\)\npassword: ([A-Za-z0-9_-]{20,})\n$/.exec(generated.stdout)?.[1];
    assert.ok(password, generated.stdout);
    assert.ok(!generated.stderr.includes(password));
  });

  it("lists accounts as JSON without anything of their passwords", async () => {
    assert.equal((await kyros.run(["user", "role", "bob", "moderator"])).exitCode, 0);
    const { exitCode, stdout } = await kyros.run(["user", "list", "--json"]);
    assert.equal(exitCode, 0);
    const { items, next_cursor } = JSON.parse(stdout) as {
      items: Record<string, unknown>[];
      next_cursor: null;
    };
    assert.equal(next_cursor, null);
    const root = items.find(({ username }) => username === "root")!;
    assert.deepEqual(Object.keys(root).sort(), [
      "created_at",
      "disabled",
      "email",
      "id",
      "last_login_at",
      "locked_until",
      "mfa",
      "role",
      "username",
    ]);
    assert.equal(root["email"], "root@example.org");
    assert.equal(root["role"], "admin");
    assert.equal(items.find(({ username }) => username === "Bob")?.["role"], "moderator");
    assert.ok(!stdout.includes("$2"));
  });

  it("unlocks a name that too many failures have locked, and says whether it was", async () => {
    await kyros.run(["user", "create", "Locked"]);
    const stores = await openStores({ databaseUrl: `sqlite:${join(kyros.dataDir, "kyros.db")}` });
    try {
      const lockouts = lockoutsOf(kyros.dataDir, stores);
      const act = { atMs: Date.now(), actor: { kind: "anonymous" } } as const;
      await lockName(lockouts, "locked", [""]);
      assert.equal(await lockouts.settle("locked", true, act), "locked");
      const [text, json] = await kyros.runAll([
        ["user", "list"],
        ["user", "list", "--json"],
      ]);
      assert.match(text!.stdout, /^Locked\tuser\tactive\t-\t\S+\t20\S+Z$/m);
      assert.match(text!.stdout, /^root\tadmin\tactive\troot@example\.org\t\S+\t-$/m);
      const { items } = JSON.parse(json!.stdout) as { items: { username: string; locked_until: string }[] };
      const untilOf = (name: string) => items.find(({ username }) => username === name)?.locked_until;
      assert.ok(Date.parse(untilOf("Locked")!) > Date.now() + 80_000_000);
      assert.equal(untilOf("root"), null);
      const unlocked = await kyros.run(["user", "unlock", "LOCKED"]);
      assert.deepEqual([unlocked.exitCode, unlocked.stdout], [0, "Locked is unlocked\n"]);
      assert.match(unlocked.stderr, /"user\.updated"/);
      const again = await kyros.run(["user", "unlock", "locked"]);
      assert.deepEqual([again.exitCode, again.stdout, again.stderr], [0, "Locked was not locked\n", ""]);
      assert.equal(await lockouts.settle("locked", true, act), "granted");
    } finally {
      await stores.close();
    }
  });

  it("removes the second factors of who has lost them, and says what there was", async () => {
    await kyros.run(["user", "create", "Lost"]);
    const stores = await openStores({ databaseUrl: `sqlite:${join(kyros.dataDir, "kyros.db")}` });
    try {
      const { id } = (await stores.accounts.findByUsernameKey("lost"))!;
      await stores.factors.addPasskey(samplePasskey(1, { userId: id }), ["a"]);
      await stores.factors.addPasskey(samplePasskey(2, { userId: id }), ["a"]);
      const reset = await kyros.run(["user", "reset-mfa", "LOST"]);
      assert.deepEqual(
        [reset.exitCode, reset.stdout],
        [0, "Lost no longer has 2 passkeys; all sessions ended\n"],
      );
      assert.match(reset.stderr, /"auth\.mfa\.removed"/);
      assert.deepEqual(await stores.factors.summaryOf(id), {
        totp: false,
        passkeys: 0,
        recoveryCodesLeft: 0,
      });
      const again = await kyros.run(["user", "reset-mfa", "lost"]);
      assert.equal(again.stdout, "Lost had no second factor; all sessions ended\n");
    } finally {
      await stores.close();
    }
  });

  const failures: [what: string, args: string[], exitCode: number, says: RegExp][] = [
    ["an unknown user", ["user", "disable", "nobody"], 1, /nobody/],
    ["an unknown user to unlock", ["user", "unlock", "nobody"], 1, /no user "nobody"/],
    ["an unknown user to reset", ["user", "reset-mfa", "nobody"], 1, /no user "nobody"/],
    ["nobody to unlock", ["user", "unlock"], 2, /name/],
    ["a missing name", ["user", "create"], 2, /name/],
    ["an unknown sub-command", ["user", "remove", "root"], 2, /remove/],
    ["a bad name", ["user", "create", "a b"], 2, /username must be/],
    ["a bad address", ["user", "create", "eve", "--email", "nope"], 2, /email must be an e-mail address/],
    ["nothing to do", [], 2, /give a command: serve, migrate, user, .*; kyros --help/],
    ["nothing to do with users", ["user"], 2, /give a command: create, list, .*; kyros user --help/],
    ["no password", ["user", "create", "eve", "--password-stdin"], 2, /standard input is empty/],
  ];
  it("says in one line what did not work (exit 1) or was called wrongly (exit 2)", async () => {
    const commands = failures.map(([, args]) => args);
    const all = [...(await kyros.runAll(commands.slice(0, -1))), await kyros.run(commands.at(-1)!)];
    for (const [at, [what, , exitCode, says]] of failures.entries()) {
      const ended = all[at]!;
      assert.equal(ended.exitCode, exitCode, `${what}: ${ended.stderr}`);
      assert.equal(ended.stdout, "", what);
      assert.match(ended.stderr, /^kyros: [^\n]+\n$/, what);
      assert.match(ended.stderr, says, what);
    }
  });

  it("helps", async () => {
    const all = await kyros.runAll([
      ["user", "create", "--help"],
      ["user", "unlock", "--help"],
    ]);
    for (const { exitCode, stdout, stderr } of all) {
      assert.equal(exitCode, 0);
      assert.match(stdout, /^Usage: kyros/);
      assert.equal(stderr, "");
    }
  });
});
