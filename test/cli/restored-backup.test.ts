import assert from "node:assert/strict";
import { copyFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { runSql } from "../stores/postgres-databases.ts";
import type { PostgresServer } from "../stores/postgres-server.ts";
import { startPostgres } from "../stores/postgres-server.ts";
import type { Kyros, Served } from "./command.ts";
import { kyrosCommand } from "./command.ts";

const PASSWORD = "correct horse battery staple";
const REFUSAL = /^kyros: the database looks like a restored backup.*kyros migrate --accept-restore.*\n$/;

/** A database that can be saved and brought back as it was while nothing uses it. */
interface Subject {
  readonly kyros: Kyros;
  save(): Promise<void>;
  restore(): Promise<void>;
}

async function login(served: Served): Promise<string> {
  const answer = await fetch(`${served.url}/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: "alice", password: PASSWORD }),
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  return ((await answer.json()) as { access_token: string }).access_token;
}

const call = (served: Served, method: string, path: string, token: string) =>
  fetch(served.url + path, { method, headers: { authorization: `Bearer ${token}` } });

/** Ends a session after a backup, brings the backup back, and asks for that session again. */
async function revivesNothing({ kyros, save, restore }: Subject, args: readonly string[]): Promise<void> {
  const created = await kyros.run(["user", "create", "alice", "--password-stdin"], {
    input: `${PASSWORD}\n`,
  });
  assert.equal(created.exitCode, 0, created.stderr);
  let served = await kyros.serve({}, args);
  const token = await login(served);
  assert.equal((await served.terminate()).exitCode, 0);
  await save();

  served = await kyros.serve({}, args);
  assert.equal((await call(served, "POST", "/auth/logout", token)).status, 204);
  assert.equal((await served.terminate()).exitCode, 0);
  await restore();

  // It never listens.
  const refused = await kyros.run(["serve", ...args]);
  assert.equal(refused.exitCode, 1);
  assert.match(refused.stderr, REFUSAL);
  const accepted = await kyros.run(["migrate", "--accept-restore"]);
  assert.equal(accepted.exitCode, 0, accepted.stderr);
  assert.match(accepted.stdout, /All sessions of 1 users are ended/);
  const listed = await kyros.run(["audit", "list"]);
  assert.match(listed.stdout, /settings\.changed/);

  served = await kyros.serve({}, args);
  assert.equal((await call(served, "GET", "/protected", token)).status, 401);
  assert.equal((await call(served, "GET", "/protected", await login(served))).status, 200);
  assert.equal((await served.terminate()).exitCode, 0);
  // Known now: the next start is an ordinary one.
  await (await kyros.serve({}, args)).terminate();
}

describe("a restored backup", { timeout: 240_000 }, () => {
  for (const [how, args] of [
    ["one process", []],
    ["workers", ["--workers", "2"]],
  ] as const) {
    it(`of SQLite is noticed at the start, and revives nothing (${how})`, async (t) => {
      const kyros = await kyrosCommand();
      t.after(() => kyros.remove());
      const database = join(kyros.dataDir, "kyros.db");
      const save = async () => {
        // Closed in order, everything is in the one file.
        assert.ok(!(await readdir(kyros.dataDir)).includes("kyros.db-wal"));
        await copyFile(database, `${database}.backup`);
      };
      await revivesNothing({ kyros, save, restore: () => copyFile(`${database}.backup`, database) }, args);
    });
  }

  describe("of PostgreSQL", () => {
    let server: PostgresServer;
    before(async () => {
      server = await startPostgres();
    });
    after(() => server.stop());

    it("is noticed at the start, and revives nothing", async (t) => {
      const kyros = await kyrosCommand({ DATABASE_URL: server.url });
      t.after(() => kyros.remove());
      const maintenance = Object.assign(new URL(server.superuserUrl), { pathname: "/postgres" }).href;
      const copy = async (from: string, to: string) => {
        await runSql(maintenance, `drop database if exists ${to}`);
        await runSql(maintenance, `create database ${to} template ${from} owner kyros`);
      };
      await revivesNothing(
        { kyros, save: () => copy("kyros", "backup"), restore: () => copy("backup", "kyros") },
        [],
      );
    });
  });

  it("is refused too where its trail went on otherwise, and where the mark cannot be read", async (t) => {
    const kyros = await kyrosCommand();
    t.after(() => kyros.remove());
    const database = join(kyros.dataDir, "kyros.db");
    await kyros.run(["user", "create", "alice", "--password-stdin"], { input: `${PASSWORD}\n` });
    await (await kyros.serve()).terminate();
    await copyFile(database, `${database}.backup`);
    const served = await kyros.serve();
    await login(served);
    await served.terminate();
    await copyFile(`${database}.backup`, database);
    for (const name of ["bob", "carol", "dora"]) {
      await kyros.run(["user", "create", name, "--password-stdin"], { input: `${PASSWORD}\n` });
    }
    const refused = await kyros.run(["serve"]);
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /is not the one that was seen here/);
    const mark = (await readdir(kyros.dataDir)).find((name) => name.startsWith("trail-mark-"));
    await copyFile(`${database}.backup`, join(kyros.dataDir, mark!));
    const unread = await kyros.run(["serve"]);
    assert.equal(unread.exitCode, 1);
    assert.match(unread.stderr, /^kyros: .*trail-mark-.* cannot be read.*\n$/);
  });
});
