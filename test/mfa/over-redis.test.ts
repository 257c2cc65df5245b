import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { sha256Base64url } from "../../src/crypto/digest.ts";
import { openStores } from "../../src/stores/open.ts";
import type { Kyros, Served } from "../cli/command.ts";
import { kyrosCommand } from "../cli/command.ts";
import { addUsers, PASSWORD } from "../service/add-user.ts";
import type { Answer } from "../service/ask.ts";
import { ask, bearer } from "../service/ask.ts";
import { eventually } from "../stores/eventually.ts";
import type { PostgresServer } from "../stores/postgres-server.ts";
import { startPostgres } from "../stores/postgres-server.ts";
import type { RedisServer } from "../stores/redis-server.ts";
import { startRedis, WITHOUT_REDIS } from "../stores/redis-server.ts";
import { codeNow, enrolApp } from "./enrol.ts";
import type { SoftwareAuthenticator } from "./software-authenticator.ts";
import { softwareAuthenticator } from "./software-authenticator.ts";

const ORIGIN = "http://localhost:8000";
/** More than elsewhere, so that a busy machine is not taken for an outage of its own. */
const DEADLINE_MS = 500;
/** Far above what an answer takes without Redis, three deadlines included, and far below a hang. */
const SOON_MS = 10_000;

interface Person {
  readonly name: string;
  readonly headers: { readonly authorization: string };
  readonly secret: Buffer;
  readonly codes: string[];
}

for (const database of ["SQLite, one of them with workers", "PostgreSQL"]) {
  describe(`two instances over one Redis and ${database}`, { skip: WITHOUT_REDIS, timeout: 600_000 }, () => {
    let postgres: PostgresServer | undefined;
    let redis: RedisServer;
    let kyros: Kyros;
    let one: Served;
    let other: Served;
    before(async () => {
      if (database === "PostgreSQL") postgres = await startPostgres();
      redis = await startRedis();
      kyros = await kyrosCommand({
        KYROS_RATE_LIMIT: "off",
        KYROS_LOGIN_RATE_LIMIT: "off",
        REDIS_URL: redis.url,
        KYROS_REDIS_DEADLINE_MS: String(DEADLINE_MS),
        ...(postgres && { DATABASE_URL: postgres.url }),
      });
      await addUsers(kyros.databaseUrl);
      one = await kyros.serve();
      other = await kyros.serve({}, postgres ? [] : ["--workers", "2"]);
    });
    after(async () => {
      redis?.resume();
      await Promise.all([one?.terminate(), other?.terminate()]);
      await redis?.stop();
      await kyros?.remove();
      await postgres?.stop();
    });

    async function post(at: Served, path: string, body?: unknown, headers = {}): Promise<Answer> {
      const startedMs = performance.now();
      const answer = await ask(at, "POST", path, headers, body);
      assert.ok(answer.status < 500, `${path}: ${answer.status}`);
      assert.ok(performance.now() - startedMs < SOON_MS, `${path} hung`);
      return answer;
    }
    const login = (at: Served, username: string) => post(at, "/auth/login", { username, password: PASSWORD });
    async function begin(at: Served, { name }: Person): Promise<string> {
      const { status, body } = await login(at, name);
      assert.deepEqual([status, body.code], [401, "mfa_required"]);
      return body.mfa_token;
    }
    const verify = (at: Served, mfa_token: string, code: string, method = "recovery_code") =>
      post(at, "/auth/mfa/verify", { mfa_token, method, code });
    const assertIn = ({ status, body }: Answer, what?: string) =>
      assert.equal(status, 200, `${what}: ${JSON.stringify(body)}`);
    const assertInvalid = ({ status, body }: Answer) =>
      assert.deepEqual([status, body.code], [401, "mfa_invalid"]);

    async function person(name: string): Promise<Person> {
      await addUsers(kyros.databaseUrl, { name });
      const headers = bearer((await login(one, name)).body.access_token);
      const { secret, recoveryCodes } = await enrolApp(one, headers);
      return { name, headers, secret, codes: [...recoveryCodes] };
    }
    /** Begun at one instance, finished at the other. */
    async function addPasskey({ headers }: Person): Promise<SoftwareAuthenticator> {
      const passkey = softwareAuthenticator(ORIGIN);
      const { body } = await post(one, "/auth/passkeys/options", undefined, headers);
      const response = passkey.create(body);
      const { status } = await post(other, "/auth/passkeys", { name: "laptop", response }, headers);
      assert.equal(status, 201);
      return passkey;
    }
    async function passkeySignIn(passkey: SoftwareAuthenticator): Promise<Answer> {
      const { body } = await post(one, "/auth/passkeys/login/options");
      return post(other, "/auth/passkeys/login", { response: passkey.get(body) });
    }
    async function isRow(mfaToken: string): Promise<boolean> {
      const stores = await openStores({ databaseUrl: kyros.databaseUrl });
      try {
        return (await stores.challenges.find(sha256Base64url(mfaToken), Date.now())) !== undefined;
      } finally {
        await stores.close();
      }
    }
    /** Asked often enough that every worker has said so. */
    const redisIs = (status: "ok" | "degraded") =>
      eventually(async () => {
        for (const at of [one, ...Array<Served>(10).fill(other)]) {
          const { body } = await ask(at, "GET", "/readyz", { connection: "close" });
          assert.equal(body.dependencies.redis.status, status);
        }
      }, 20_000);

    it("take the second step of a sign-in that began at the other, which is no row", async () => {
      const alice = await person("alice");
      const token = await begin(one, alice);
      assert.equal(await isRow(token), false);
      assertInvalid(await verify(other, token, "000000", "totp"));
      assertIn(await verify(other, token, codeNow(alice.secret, 1), "totp"));
      assertInvalid(await verify(one, token, alice.codes[0]!));
      assertIn(await verify(one, await begin(other, alice), alice.codes[0]!));
    });

    it("take passkeys whose challenge the other gave: enrolled, signed in with, and as a second step", async () => {
      const bob = await person("bob");
      const passkey = await addPasskey(bob);
      assertIn(await passkeySignIn(passkey));
      const mfa_token = await begin(one, bob);
      const { body } = await post(other, "/auth/passkeys/login/options", { mfa_token });
      const answer = { mfa_token, method: "passkey", response: passkey.get(body) };
      assertIn(await post(one, "/auth/mfa/verify", answer));
      assertInvalid(await post(other, "/auth/mfa/verify", answer));
    });

    it("go on by the database while Redis is stopped, and revive nothing that was taken away meanwhile", async () => {
      const carol = await person("carol");
      const dora = await person("dora");
      const [before, unchanged] = [await begin(one, carol), await begin(one, dora)];
      redis.pause();
      try {
        // Only Redis has it: as one that has expired. The code stays unspent.
        assertInvalid(await verify(other, before, carol.codes[0]!));
        assertIn(await verify(other, await begin(one, carol), carol.codes[1]!), "begun without Redis");
        await redisIs("degraded");
        assertIn(await verify(one, await begin(other, carol), carol.codes[2]!), "with the breaker open");
        await addPasskey(carol);
      } finally {
        redis.resume();
      }
      await redisIs("ok");
      for (const at of [one, other]) assertInvalid(await verify(at, before, carol.codes[0]!));
      assertIn(await verify(other, await begin(one, carol), carol.codes[0]!), "a code that was not spent");
      assertIn(await verify(other, unchanged, dora.codes[0]!), "of whom nothing has changed");
    });

    it("go on by the database while Redis is gone, and finish afterwards what began then", async () => {
      const erna = await person("erna");
      const lost = await begin(one, erna);
      await redis.kill();
      assertInvalid(await verify(other, lost, erna.codes[0]!));
      const passkey = await addPasskey(erna);
      assertIn(await passkeySignIn(passkey));
      const begun = await begin(one, erna);
      redis = await startRedis({ port: redis.port });
      await redisIs("ok");
      assertIn(await verify(other, begun, erna.codes[0]!));
      assertInvalid(await verify(one, begun, erna.codes[1]!));
      assertInvalid(await verify(one, lost, erna.codes[1]!));
    });

    it("count nothing twice where a failover of Redis brings a finished sign-in back", async () => {
      const gerda = await person("gerda");
      const token = await begin(one, gerda);
      const key = `kyros:challenge:${sha256Base64url(token)}`;
      const value = String(await redis.command("get", key));
      const code = codeNow(gerda.secret, 1);
      const comesBack = () => redis.command("set", key, value, "px", 60_000);
      assertIn(await verify(one, token, code, "totp"));
      await comesBack();
      assertInvalid(await verify(other, token, code, "totp"));
      assertIn(await verify(other, token, gerda.codes[0]!), "another factor's proof, in its five minutes");
      await comesBack();
      assertInvalid(await verify(one, token, gerda.codes[0]!));
      // What took it away is no write of Redis.
      await addPasskey(gerda);
      await comesBack();
      assertInvalid(await verify(one, token, gerda.codes[1]!));
    });

    it("hear of a reset by the command, which knows nothing of Redis", async () => {
      const frieda = await person("frieda");
      const token = await begin(one, frieda);
      const { exitCode, stderr } = await kyros.run(["user", "reset-mfa", "frieda"], {
        env: { REDIS_URL: "redis://127.0.0.1:1" },
      });
      assert.equal(exitCode, 0, stderr);
      assertIn(await login(other, "frieda"), "the password is enough now");
      // The same factors again, so that nothing but the reset stands in the way.
      const headers = bearer((await login(other, "frieda")).body.access_token);
      const { recoveryCodes } = await enrolApp(other, headers);
      assertInvalid(await verify(other, token, recoveryCodes[0]!));
    });
  });
}
