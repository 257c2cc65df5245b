import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { sha256Base64url } from "../../src/crypto/digest.ts";
import { ask, bearer } from "../service/ask.ts";
import type { TwoServers } from "../service/two-servers.ts";
import { startTwoServers } from "../service/two-servers.ts";
import type { Enrolled } from "./enrol.ts";
import { codeNow, decodeBase32, enrolApp } from "./enrol.ts";

const TIMES = 50;

describe("R23: two servers on one database", () => {
  let two: TwoServers;
  before(async () => {
    two = await startTwoServers();
  });
  after(() => two.stop());

  async function enrol(name: string): Promise<Omit<Enrolled, "headers">> {
    const id = await two.createUser(name);
    const headers = bearer((await two.login(name)).access_token);
    return { id, name, ...(await enrolApp(two.servers[0], headers)) };
  }

  /** Tokens of as many sign-ins whose password was right, without a hash for each. */
  function begin({ id, name }: Pick<Enrolled, "id" | "name">, count: number): readonly string[] {
    const tokens = Array.from({ length: count }, (_, n) => `${name}-${n}`);
    two.withDatabase((database) => {
      const insert = database.prepare(
        `insert into challenges (hash, purpose, user_id, session_kind, password_changed_at_ms,
           role_changed_at_ms, tries, expires_at_ms)
         select ?, 'second_step', id, 'token', password_changed_at_ms, role_changed_at_ms, 0, ?
         from accounts where id = ?`,
      );
      for (const token of tokens) insert.run(sha256Base64url(token), Date.now() + 300_000, id);
    });
    return tokens;
  }

  const verifyAll = (uses: readonly { mfa_token: string; method: string; code: string }[]) =>
    Promise.all(uses.map((body, n) => ask(two.servers[n % 2]!, "POST", "/auth/mfa/verify", {}, body)));
  const assertOne = (answers: readonly { status: number }[]) => {
    const statuses = answers.map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 200).length, 1, statuses.join(" "));
    assert.ok(statuses.every((status) => status === 200 || status === 401));
  };

  it("take one recovery code once, of 50 sign-ins at once", async () => {
    const user = await enrol("anton");
    const code = user.recoveryCodes[0]!;
    const tokens = begin(user, TIMES);
    assertOne(await verifyAll(tokens.map((mfa_token) => ({ mfa_token, method: "recovery_code", code }))));
  });

  it("take one time step once, of 50 sign-ins at once", async () => {
    const user = await enrol("bella");
    const code = codeNow(user.secret, 1);
    const tokens = begin(user, TIMES);
    assertOne(await verifyAll(tokens.map((mfa_token) => ({ mfa_token, method: "totp", code }))));
  });

  it("let one sign-in end once, of 50 answers at once, each of which is right", async () => {
    const user = await enrol("conny");
    const [mfa_token] = begin(user, 1) as [string];
    const answers = await verifyAll(
      Array.from({ length: TIMES }, (_, n) => ({
        mfa_token,
        method: "recovery_code",
        code: user.recoveryCodes[n % 10]!,
      })),
    );
    assertOne(answers);
  });

  it("confirm one app once, with one set of recovery codes that counts", async () => {
    await two.createUser("dirk");
    const headers = bearer((await two.login("dirk")).access_token);
    const offered = await ask(two.servers[0], "POST", "/auth/mfa/totp", headers);
    const code = codeNow(decodeBase32(offered.body.secret));
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        ask(two.servers[n % 2]!, "POST", "/auth/mfa/totp/confirm", headers, { code }),
      ),
    );
    const won = answers.filter(({ status }) => status === 200);
    assert.equal(won.length, 1);
    assert.ok(answers.every(({ status }) => [200, 401, 409].includes(status)));
    const { body } = await ask(two.servers[1], "GET", "/auth/user", headers);
    assert.equal(body.mfa.recovery_codes_left, 10);
  });
});
