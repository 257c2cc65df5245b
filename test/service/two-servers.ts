import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sha256Base64url } from "../../src/crypto/digest.ts";
import type { Kyros, Served } from "../cli/command.ts";
import { kyrosCommand } from "../cli/command.ts";
import { addUsers, PASSWORD } from "./add-user.ts";
import { ask, bearer } from "./ask.ts";

export interface Pair {
  readonly access_token: string;
  readonly refresh_token: string;
}

/** Two processes of `kyros serve` on one SQLite file, and an admin called `root`. */
export interface TwoServers {
  readonly kyros: Kyros;
  readonly servers: readonly [Served, Served];
  readonly root: { readonly authorization: string };
  readonly rootId: string;
  createUser(name: string, role?: string): Promise<string>;
  login(name: string, at?: 0 | 1): Promise<Pair>;
  /** Works on the database of both, as another process would. */
  withDatabase<T>(work: (database: DatabaseSync) => T): T;
  /** Moves the first use of a refresh token back beyond any grace, as if that time had passed. */
  age(refreshToken: string): void;
  stop(): Promise<void>;
}

/** Starts them, with limits off; `each` are variables of the first and of the second alone. */
export async function startTwoServers(
  each: readonly [Record<string, string>, Record<string, string>] = [{}, {}],
): Promise<TwoServers> {
  const kyros = await kyrosCommand({ KYROS_RATE_LIMIT: "off", KYROS_LOGIN_RATE_LIMIT: "off" });
  await addUsers(kyros.databaseUrl, { name: "root", role: "admin" });
  const servers = await Promise.all([kyros.serve(each[0]), kyros.serve(each[1])]);

  async function login(username: string, at: 0 | 1 = 0): Promise<Pair> {
    const { status, body } = await ask(
      servers[at],
      "POST",
      "/auth/login",
      {},
      { username, password: PASSWORD },
    );
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  }
  function withDatabase<T>(work: (database: DatabaseSync) => T): T {
    const database = new DatabaseSync(join(kyros.dataDir, "kyros.db"), { timeout: 5000 });
    try {
      return work(database);
    } finally {
      database.close();
    }
  }
  const root = bearer((await login("root")).access_token);
  const { id: rootId } = (await ask(servers[0], "GET", "/auth/user", root)).body;

  return {
    kyros,
    servers,
    root,
    rootId,
    login,
    withDatabase,
    async createUser(username, role = "user") {
      const wanted = { username, role, password: PASSWORD };
      const { status, body } = await ask(servers[0], "POST", "/admin/users", root, wanted);
      assert.equal(status, 201, JSON.stringify(body));
      return body.id;
    },
    age(refreshToken) {
      const update = "UPDATE refresh_tokens SET used_at_ms = used_at_ms - 60000 WHERE hash = ?";
      const hash = sha256Base64url(refreshToken);
      assert.equal(
        withDatabase((database) => database.prepare(update).run(hash).changes),
        1,
      );
    },
    async stop() {
      await Promise.all(servers.map((one) => one.terminate()));
      await kyros.remove();
    },
  };
}
