import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { sha256Base64url } from "../../src/crypto/digest.ts";
import { LOCKOUT_POLICY } from "../../src/identity/accounts/lockouts.ts";
import { ask, bearer } from "../service/ask.ts";
import type { TestService } from "../service/running-service.ts";
import { PASSWORD, runService } from "../service/running-service.ts";
import type { Enrolled } from "./enrol.ts";
import { codeNow, enrol, wrongCode } from "./enrol.ts";

const { mostFailures } = LOCKOUT_POLICY;

describe("R29: guessing a second factor", () => {
  let service: TestService;
  let root: { authorization: string };
  before(async () => {
    // The address of a caller is what the proxy on this machine says.
    service = await runService({ KYROS_TRUST_PROXY: "127.0.0.1/32" });
    await service.createUser("root", "admin");
    root = bearer((await service.login("root")).access_token);
  });
  after(() => service.stop());

  const addressOf = (n: number) => `198.51.${100 + (n >> 8)}.${n & 255}`;
  const verifyFrom = (address: string, mfa_token: string, code: string, method = "totp") =>
    ask(service, "POST", "/auth/mfa/verify", { "x-forwarded-for": address }, { mfa_token, method, code });
  const loginFrom = (address: string, username: string) =>
    ask(service, "POST", "/auth/login", { "x-forwarded-for": address }, { username, password: PASSWORD });

  /** Tokens of as many sign-ins whose password was right, without a hash for each. */
  async function begin({ id, name }: Enrolled, count: number): Promise<readonly string[]> {
    const account = (await service.stores.accounts.findById(id))!;
    const tokens = Array.from({ length: count }, (_, n) => `${name}-${n}`);
    for (const token of tokens) {
      await service.stores.challenges.open(
        {
          hash: sha256Base64url(token),
          purpose: "second_step",
          userId: id,
          boundTo: null,
          sessionKind: "token",
          passwordChangedAtMs: account.passwordChangedAtMs,
          roleChangedAtMs: account.roleChangedAtMs,
          tries: 0,
          expiresAtMs: Date.now() + 300_000,
        },
        Date.now(),
      );
    }
    return tokens;
  }

  const locksOf = (id: string) =>
    service.events.filter(({ details, subject }) => subject === id && details?.["locked"] === true).length;

  it("locks the account after 100 of 1,000 guesses over 200 sign-ins and 1,000 addresses", async () => {
    const user = await enrol(service, "alma");
    const tokens = await begin(user, 201);
    const spare = tokens[200]!;
    for (let n = 0; n < 1000; n += 10) {
      const guesses = Array.from({ length: 10 }, (_, i) =>
        verifyFrom(addressOf(n + i), tokens[Math.floor((n + i) / 5)]!, wrongCode(user.secret)),
      );
      for (const { status, body } of await Promise.all(guesses)) {
        assert.deepEqual([status, body.code], [401, "mfa_invalid"]);
      }
    }
    assert.equal(locksOf(user.id), 1);
    const reasons = service.events
      .filter(({ name, subject }) => name === "auth.mfa.failed" && subject === user.id)
      .map(({ reason }) => reason);
    assert.equal(
      reasons.filter((reason) => reason === "code not valid, or used before").length,
      mostFailures,
    );
    assert.equal(reasons.filter((reason) => reason === "locked").length, 1000 - mostFailures);

    const right = await verifyFrom(addressOf(1), spare, codeNow(user.secret, 1));
    assert.deepEqual([right.status, right.body.code], [401, "mfa_invalid"]);
    const code = await verifyFrom(addressOf(1), spare, user.recoveryCodes[0]!, "recovery_code");
    assert.equal(code.status, 401);
    const password = await loginFrom(addressOf(1), "alma");
    assert.deepEqual([password.status, password.body.code], [401, "invalid_credentials"]);

    const enable = { disabled: false };
    assert.equal((await ask(service, "PATCH", `/admin/users/${user.id}`, root, enable)).status, 200);
    const after = await verifyFrom(addressOf(1), spare, user.recoveryCodes[0]!, "recovery_code");
    assert.equal(after.status, 200, "the lock had spent no code");
  });

  it("is not begun afresh by the right password, nor spared as a place that has shown no factor", async () => {
    const user = await enrol(service, "bruno");
    const address = "203.0.113.77";
    for (let round = 0; round < mostFailures / 5; round++) {
      const { body } = await loginFrom(address, "bruno");
      assert.equal(body.code, "mfa_required", `round ${round}`);
      for (let i = 0; i < 5; i++) await verifyFrom(address, body.mfa_token, wrongCode(user.secret));
    }
    assert.equal(locksOf(user.id), 1);
    assert.equal((await loginFrom(address, "bruno")).body.code, "invalid_credentials");
    assert.equal((await loginFrom("203.0.113.78", "bruno")).body.code, "invalid_credentials");
  });

  it("R27: never keeps its user out where a factor was shown before", async () => {
    const user = await enrol(service, "clara");
    const home = "192.0.2.44";
    const { body } = await loginFrom(home, "clara");
    const first = await verifyFrom(home, body.mfa_token, user.recoveryCodes[0]!, "recovery_code");
    assert.equal(first.status, 200);
    const tokens = await begin(user, 20);
    for (const token of tokens) {
      for (let i = 0; i < 5; i++) await verifyFrom(addressOf(i), token, wrongCode(user.secret));
    }
    assert.equal(locksOf(user.id), 1);
    assert.equal((await loginFrom(addressOf(9), "clara")).body.code, "invalid_credentials");
    const again = await loginFrom(home, "clara");
    const second = await verifyFrom(home, again.body.mfa_token, user.recoveryCodes[1]!, "recovery_code");
    assert.equal(second.status, 200);
  });
});

describe("the login limit", () => {
  it("counts second steps with the passwords of their account and address", async () => {
    const service = await runService({ KYROS_LOGIN_RATE_LIMIT: "5/1m", KYROS_TRUST_PROXY: "127.0.0.1/32" });
    try {
      const user = await enrol(service, "doro");
      const headers = { "x-forwarded-for": "203.0.113.9" };
      const credentials = { username: "doro", password: PASSWORD };
      const { body } = await ask(service, "POST", "/auth/login", headers, credentials);
      const statuses: number[] = [];
      for (let i = 0; i < 6; i++) {
        const guess = { mfa_token: body.mfa_token, method: "totp", code: wrongCode(user.secret) };
        const answer = await ask(service, "POST", "/auth/mfa/verify", headers, guess);
        statuses.push(answer.status);
        if (answer.status === 429) assert.ok(Number(answer.headers.get("retry-after")) > 0);
      }
      assert.deepEqual(statuses, [401, 401, 401, 401, 429, 429]);
      assert.equal((await ask(service, "POST", "/auth/login", headers, credentials)).status, 429);
    } finally {
      await service.stop();
    }
  });
});
