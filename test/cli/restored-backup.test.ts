import assert from "node:assert/strict";
import { copyFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { loadSettings } from "../../src/config/load.ts";
import { startService } from "../../src/service/start.ts";
import { addUsers, PASSWORD } from "../service/add-user.ts";
import { runSql } from "../stores/postgres-databases.ts";
import type { PostgresServer } from "../stores/postgres-server.ts";
import { startPostgres } from "../stores/postgres-server.ts";
import type { Kyros, Served } from "./command.ts";
import { kyrosCommand } from "./command.ts";

const REFUSAL = /^kyros: the database looks like a restored backup.*kyros migrate --accept-restore.*\n$/;

/** A database that can be saved and brought back as it was while nothing uses it. */
interface Subject {
  readonly kyros: Kyros;
  save(): Promise<void>;
  restore(): Promise<void>;
}

type Server = Pick<Served, "url">;

async function login({ url }: Server): Promise<string> {
  const answer = await fetch(`${url}/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: "alice", password: PASSWORD }),
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  return ((await answer.json()) as { access_token: string }).access_token;
}

const call = ({ url }: Server, method: string, path: string, token: string) =>
  fetch(url + path, { method, headers: { authorization: `Bearer ${token}` } });

const callWithKey = ({ url }: Server, key: string) =>
  fetch(`${url}/protected`, { headers: { "x-api-key": key } });

/** Serves in this process for as long as `work` takes: what was served here before and after is the command's. */
async function whileServed<T>(
  { dataDir, databaseUrl }: Kyros,
  work: (server: Server) => Promise<T>,
): Promise<T> {
  const settings = loadSettings({
    KYROS_DATA_DIR: dataDir,
    DATABASE_URL: databaseUrl,
    KYROS_PORT: "0",
    KYROS_BCRYPT_COST: "10",
  });
  const service = await startService(settings, {
    events: { record: () => undefined },
    failure: (error) => assert.fail(String(error)),
    info: () => undefined,
  });
  try {
    return await work(service);
  } finally {
    await service.stop();
  }
}

/** Ends a session after a backup, brings the backup back, and asks for that session again. */
async function revivesNothing({ kyros, save, restore }: Subject, args: readonly string[]): Promise<void> {
  await addUsers(kyros.databaseUrl, { name: "alice" });
  const token = await whileServed(kyros, login);
  const created = await kyros.run(["key", "create", "--name", "deploy"]);
  const [, keyId, key] = /^created deploy \((\S+)\)\nkey: (\S+)\n$/.exec(created.stdout)!;
  await save();
  await whileServed(kyros, async (server) => {
    assert.equal((await call(server, "POST", "/auth/logout", token)).status, 204);
  });
  assert.equal((await kyros.run(["key", "revoke", keyId!])).exitCode, 0);
  await restore();

  // It never listens.
  const refused = await kyros.run(["serve", ...args]);
  assert.equal(refused.exitCode, 1);
  assert.match(refused.stderr, REFUSAL);
  const [accepted, listed] = await kyros.runAll([
    ["migrate", "--accept-restore"],
    ["audit", "list"],
  ]);
  assert.equal(accepted!.exitCode, 0, accepted!.stderr);
  assert.match(accepted!.stdout, /All sessions of 1 users are ended, and 1 API keys are revoked/);
  assert.match(listed!.stdout, /settings\.changed/);

  const served = await kyros.serve({}, args);
  assert.equal((await call(served, "GET", "/protected", token)).status, 401);
  assert.equal((await callWithKey(served, key!)).status, 401);
  assert.equal((await call(served, "GET", "/protected", await login(served))).status, 200);
  assert.equal((await served.terminate()).exitCode, 0);
  // Known now: the next start is an ordinary one.
  await whileServed(kyros, async () => undefined);
}

describe("a restored backup", { timeout: 600_000 }, () => {
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

  it("keeps its API keys where that is said, and tells so", async (t) => {
    const kyros = await kyrosCommand();
    t.after(() => kyros.remove());
    const [, kept, listed, alone, revoked, none, trail] = await kyros.runAll([
      ["key", "create", "--name", "deploy"],
      ["migrate", "--accept-restore", "--keep-api-keys"],
      ["key", "list"],
      ["migrate", "--keep-api-keys"],
      ["migrate", "--accept-restore", "--json"],
      ["key", "list"],
      ["audit", "list"],
    ]);
    assert.match(kept!.stdout, /sessions of 0 users are ended\. API keys, passwords, roles/);
    assert.match(listed!.stdout, /deploy/);
    assert.equal(alone!.exitCode, 2);
    assert.match(alone!.stderr, /--accept-restore/);
    assert.deepEqual(JSON.parse(revoked!.stdout), { applied: [], accounts: 0, api_keys: 1 });
    assert.equal(none!.stdout, "");
    assert.match(trail!.stdout, /api_key\.revoked/);
  });

  it("is refused too where its trail went on otherwise, and where the mark cannot be read", async (t) => {
    const kyros = await kyrosCommand();
    t.after(() => kyros.remove());
    const database = join(kyros.dataDir, "kyros.db");
    await addUsers(kyros.databaseUrl, { name: "alice" });
    await whileServed(kyros, async () => undefined);
    await copyFile(database, `${database}.backup`);
    await whileServed(kyros, login);
    await copyFile(`${database}.backup`, database);
    await kyros.runAll(["bob", "carol", "dora"].map((name) => ["user", "create", name]));
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
