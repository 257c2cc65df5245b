import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ask, bearer } from "../service/ask.ts";
import type { Kyros, Served } from "./command.ts";
import { kyrosCommand } from "./command.ts";

interface Listed {
  readonly id: string;
  readonly name: string;
  readonly owner_id: string | null;
  readonly scopes: readonly string[];
  readonly rate_limits: readonly string[];
  readonly expires_at: string | null;
  readonly created_at: string;
  readonly last_used_at: string | null;
}

describe("kyros key", () => {
  let kyros: Kyros;
  let served: Served;
  before(async () => {
    kyros = await kyrosCommand();
    served = await kyros.serve();
    assert.equal((await kyros.run(["user", "create", "alice"])).exitCode, 0);
  });
  after(async () => {
    await served.terminate();
    await kyros.remove();
  });

  /** Runs a command that prints a key, and takes it from its answer; it must be printed nowhere else. */
  async function keyOf(says: RegExp, ...args: string[]): Promise<{ id: string; key: string }> {
    const { exitCode, stdout, stderr } = await kyros.run(["key", ...args]);
    assert.equal(exitCode, 0, stderr);
    const [, id, key] =
      /\(([0-9a-f-]{36})\)\nkey: (kyros_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6})\n$/.exec(stdout) ??
      [];
    assert.ok(id && key, stdout);
    assert.match(stdout, says);
    assert.ok(!stderr.includes(key.split("_")[2]!));
    return { id, key };
  }
  const list = async () => {
    const { exitCode, stdout, stderr } = await kyros.run(["key", "list", "--json"]);
    assert.equal(exitCode, 0, stderr);
    const { items, next_cursor } = JSON.parse(stdout) as { items: Listed[]; next_cursor: null };
    assert.equal(next_cursor, null);
    return { items, stdout };
  };
  const use = (key: string) => ask(served, "GET", "/protected", { "x-api-key": key });

  it("makes keys that the running service takes at the next request, and shows them once", async () => {
    const own = await keyOf(/^created ci \(/, "create", "--name", "ci");
    assert.deepEqual((await use(own.key)).body, { message: "Hello, ci!" });
    const args = ["--owner", "ALICE", "--scope", "jobs:read", "--scope", "logs:*", "--expires", "90d"];
    const hers = await keyOf(/^created build \(/, "create", "--name", "build", ...args, "--rate", "2/1h");
    const answers = [await use(hers.key), await use(hers.key), await use(hers.key)];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 429],
    );
    assert.deepEqual(answers[0]!.body, { message: "Hello, alice!" });
    assert.equal(answers[0]!.headers.get("x-ratelimit-limit"), "2");

    const { items, stdout } = await list();
    for (const { key } of [own, hers]) assert.ok(!stdout.includes(key.split("_")[2]!));
    const listed = (id: string) => items.find((one) => one.id === id)!;
    assert.deepEqual(Object.keys(listed(hers.id)).sort(), [
      "address_ranges",
      "created_at",
      "expires_at",
      "id",
      "last_used_at",
      "name",
      "owner_id",
      "rate_limits",
      "scopes",
    ]);
    assert.deepEqual(listed(hers.id).scopes, ["jobs:read", "logs:*"]);
    assert.deepEqual(listed(hers.id).rate_limits, ["2/1h"]);
    const { created_at, expires_at } = listed(hers.id);
    assert.equal(Date.parse(expires_at!) - Date.parse(created_at), 90 * 86_400_000);
    assert.notEqual(listed(hers.id).last_used_at, null);
    assert.deepEqual([listed(own.id).owner_id, listed(own.id).expires_at], [null, null]);
    assert.notEqual(listed(hers.id).owner_id, null);

    const plain = await kyros.run(["key", "list"]);
    const line = plain.stdout.split("\n").find((one) => one.startsWith(hers.id));
    assert.equal(line?.split("\t")[3], "jobs:read logs:*");
  });

  it("rotates a key, with an overlap or without, and revokes it, at the next request of the running service", async () => {
    const { id, key: first } = await keyOf(/^created rotating/, "create", "--name", "rotating");
    assert.equal((await use(first)).status, 200);
    const { key: second } = await keyOf(/^rotated rotating/, "rotate", id, "--overlap", "1h");
    assert.notEqual(second, first);
    for (const key of [first, second]) assert.equal((await use(key)).status, 200);
    const { key: third } = await keyOf(/^rotated rotating/, "rotate", id, "--overlap", "0");
    for (const key of [first, second]) assert.equal((await use(key)).status, 401);
    assert.equal((await use(third)).status, 200);

    const revoked = await kyros.run(["key", "revoke", id]);
    assert.deepEqual([revoked.exitCode, revoked.stdout], [0, "rotating is revoked\n"]);
    for (const headers of [{ "x-api-key": third }, bearer(third)]) {
      const answer = await ask(served, "GET", "/protected", headers);
      assert.deepEqual([answer.status, answer.body.code], [401, "unauthenticated"]);
    }
    assert.equal(
      (await list()).items.some((one) => one.id === id),
      false,
    );
    const again = await kyros.runAll([
      ["key", "revoke", id],
      ["key", "rotate", id],
    ]);
    for (const { exitCode, stdout, stderr } of again) {
      assert.deepEqual([exitCode, stdout], [1, ""]);
      assert.match(stderr, /^kyros: there is no API key ".*"; kyros key list shows them\n$/);
    }
  });

  const failures: [what: string, args: string[], exitCode: number, says: RegExp][] = [
    ["a missing name", ["create"], 2, /--name/],
    ["an empty name", ["create", "--name", " "], 2, /--name/],
    ["a wrong scope", ["create", "--name", "x", "--scope", "A B"], 2, /--scope/],
    ["a wrong duration", ["create", "--name", "x", "--expires", "soon"], 2, /--expires/],
    ["a wrong limit", ["create", "--name", "x", "--rate", "many"], 2, /--rate/],
    ["an unknown owner", ["create", "--name", "x", "--owner", "nobody"], 1, /nobody/],
    ["a wrong overlap", ["rotate", "x", "--overlap", "a while"], 2, /--overlap/],
    ["an unknown key", ["revoke", "01890000-0000-7000-8000-000000000000"], 1, /no API key/],
    ["an unknown sub-command", ["remove", "x"], 2, /remove/],
  ];
  it("says in one line what did not work (exit 1) or was called wrongly (exit 2)", async () => {
    const all = await kyros.runAll(failures.map(([, args]) => ["key", ...args]));
    for (const [at, [what, , exitCode, says]] of failures.entries()) {
      const ended = all[at]!;
      assert.equal(ended.exitCode, exitCode, `${what}: ${ended.stderr}`);
      assert.equal(ended.stdout, "", what);
      assert.match(ended.stderr, /^kyros: [^\n]+\n$/, what);
      assert.match(ended.stderr, says, what);
    }
  });
});
