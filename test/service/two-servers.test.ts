import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { generateSecret } from "../../src/crypto/keyring.ts";
import { systemRandom } from "../../src/kernel/random.ts";
import { ask, bearer } from "./ask.ts";
import type { TwoServers } from "./two-servers.ts";
import { startTwoServers } from "./two-servers.ts";

const ADMIN_ROUNDS = 24;
const KEY_ROUNDS = 10;

describe("two servers on one database", () => {
  let two: TwoServers;
  before(async () => {
    two = await startTwoServers();
    await two.createUser("alice");
  });
  after(() => two.stop());

  const at = (which: number) => two.servers[(which % 2) as 0 | 1];
  const refresh = (which: number, token: string) =>
    ask(at(which), "POST", "/auth/refresh", {}, { refresh_token: token });
  const hello = (which: number, headers: Record<string, string>) =>
    ask(at(which), "GET", "/protected", headers);

  it("R21: give 64 refreshes at once one successor, and sign nobody out", async () => {
    const first = await two.login("alice");
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, which) => refresh(which, first.refresh_token)),
    );
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    const successors = new Set<string>(answers.map(({ body }) => body.refresh_token));
    assert.equal(successors.size, 1);
    for (const [which, { body }] of answers.entries())
      assert.equal((await hello(which + 1, bearer(body.access_token))).status, 200);
    assert.equal((await refresh(1, [...successors][0]!)).status, 200);
  });

  it("R21: of 64 uses at once after the grace let none pass, and end the session on both", async () => {
    const first = await two.login("alice");
    const { body: second } = await refresh(1, first.refresh_token);
    for (const which of [0, 1]) assert.equal((await hello(which, bearer(second.access_token))).status, 200);
    two.age(first.refresh_token);
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, which) => refresh(which, first.refresh_token)),
    );
    assert.deepEqual(
      [...new Set(answers.map(({ status, body }) => `${status} ${body.code}`))],
      ["401 token_revoked"],
    );
    for (const which of [0, 1]) {
      assert.equal((await refresh(which, second.refresh_token)).status, 401);
      for (const { access_token } of [first, second])
        assert.equal((await hello(which, bearer(access_token))).status, 401);
    }
    const logs = two.servers.flatMap(({ log }) => log).filter((line) => line.includes("auth.token.reused"));
    assert.equal(logs.length, 1, "the audit shows the reuse, once");
  });

  it("leave one key of any number that are rotated at once, and none that is revoked meanwhile", async () => {
    const alice = bearer((await two.login("alice")).access_token);
    const works = async (key: string) => {
      const statuses = [(await hello(0, { "x-api-key": key })).status, (await hello(1, bearer(key))).status];
      assert.equal(statuses[0], statuses[1]);
      return statuses[0] === 200;
    };
    for (let round = 0; round < KEY_ROUNDS; round += 1) {
      const { id, key } = (await ask(at(round), "POST", "/auth/api-keys", alice, { name: "ci" })).body;
      const rotate = (which: number) =>
        ask(at(which), "POST", `/auth/api-keys/${id}/rotate`, alice, { overlap: "0" });
      const answers = await Promise.all([0, 1, 2, 3].map(rotate));
      const rotated = answers.filter(({ status }) => status === 200).map(({ body }) => body.key as string);
      const refused = answers.filter(({ status }) => status !== 200).map(({ body }) => body.code);
      assert.ok(rotated.length > 0 && refused.every((code) => code === "conflict"), String(refused));
      const working: string[] = [];
      for (const text of [key, ...rotated]) if (await works(text)) working.push(text);
      assert.equal(working.length, 1);

      const [revoked, ...late] = await Promise.all([
        ask(at(round), "DELETE", `/auth/api-keys/${id}`, alice),
        rotate(round),
        rotate(round + 1),
      ]);
      assert.equal(revoked.status, 204);
      for (const text of [...working, ...late.map(({ body }) => body.key as string | undefined)])
        if (text !== undefined) assert.equal(await works(text), false);
    }
  });

  it("always keep an admin, whoever takes the role from whom", async () => {
    const ids = [two.rootId, await two.createUser("second", "admin")] as const;
    const headers = [two.root, bearer((await two.login("second", 1)).access_token)] as const;
    const admins = () =>
      two.withDatabase((database) =>
        database.prepare("SELECT id FROM accounts WHERE role = 'admin' AND disabled = 0").all(),
      ) as { id: string }[];
    for (let round = 0; round < ADMIN_ROUNDS; round += 1) {
      const isSelf = round % 2 === 1;
      const change = { role: round % 4 < 2 ? "user" : "moderator" };
      const demote = (by: 0 | 1, whom: 0 | 1) =>
        ask(at(by), "PATCH", `/admin/users/${ids[whom]}`, headers[by], change);
      const answers = await Promise.all(isSelf ? [demote(0, 0), demote(1, 1)] : [demote(0, 1), demote(1, 0)]);
      const statuses = answers.map(({ status }) => status).sort();
      assert.equal(statuses[0], 200, `round ${round}`);
      assert.ok([403, 409].includes(statuses[1]!), `round ${round}: ${statuses}`);
      const left = admins();
      assert.equal(left.length, 1, `round ${round}`);
      const survivor = left[0]!.id === ids[0] ? 0 : 1;
      const other = survivor === 0 ? 1 : 0;
      const raised = await ask(at(round), "PATCH", `/admin/users/${ids[other]}`, headers[survivor], {
        role: "admin",
      });
      assert.equal(raised.status, 200, `round ${round}`);
    }
  });
});

describe("two servers in the middle of a rotation of the secret", () => {
  let two: TwoServers;
  before(async () => {
    const [former, current] = [generateSecret(systemRandom), generateSecret(systemRandom)];
    two = await startTwoServers([
      { KYROS_SECRET: former, KYROS_SECRET_PREVIOUS: current },
      { KYROS_SECRET: current, KYROS_SECRET_PREVIOUS: former },
    ]);
  });
  after(() => two.stop());

  it("take each other's tokens", async () => {
    for (const which of [0, 1] as const) {
      const { access_token, refresh_token } = await two.login("root", which);
      const other = two.servers[which === 0 ? 1 : 0];
      assert.equal((await ask(other, "GET", "/protected", bearer(access_token))).status, 200);
      assert.equal((await ask(other, "POST", "/auth/refresh", {}, { refresh_token })).status, 200);
    }
  });

  it("give 64 refreshes at once one successor, and sign nobody out", async () => {
    for (const which of [0, 1] as const) {
      const { refresh_token } = await two.login("root", which);
      const answers = await Promise.all(
        Array.from({ length: 64 }, (_, n) =>
          ask(two.servers[((n + which) % 2) as 0 | 1], "POST", "/auth/refresh", {}, { refresh_token }),
        ),
      );
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
      assert.equal(new Set(answers.map(({ body }) => body.refresh_token)).size, 1);
    }
  });
});
