import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ask, bearer } from "../service/ask.ts";
import type { TestService } from "../service/running-service.ts";
import { PASSWORD, runService } from "../service/running-service.ts";
import { codeNow, enrol, firstStep, inDatabase, signInByCode, verify } from "./enrol.ts";
import { softwareAuthenticator } from "./software-authenticator.ts";

describe("while a table of second factors does not answer", () => {
  let service: TestService;
  before(async () => {
    service = await runService();
  });
  after(() => service.stop());

  async function without<T>(table: string, work: () => Promise<T>): Promise<T> {
    inDatabase(service, (database) => database.exec(`alter table ${table} rename to ${table}_away`));
    try {
      return await work();
    } finally {
      inDatabase(service, (database) => database.exec(`alter table ${table}_away rename to ${table}`));
    }
  }
  const login = (username: string, password = PASSWORD) =>
    ask(service, "POST", "/auth/login", {}, { username, password });
  const assertUnavailable = ({ status, body }: { status: number; body: { code: string } }, what: string) =>
    assert.deepEqual([status, body.code], [503, "unavailable"], what);

  for (const table of ["totp_factors", "recovery_codes", "passkeys"]) {
    it(`nobody signs in with a password alone (${table})`, async () => {
      const user = await enrol(service, `anna-${table}`);
      const plain = `berta-${table}`;
      await service.createUser(plain);
      const token = await firstStep(service, user.name);
      await without(table, async () => {
        assertUnavailable(await login(user.name), "with a factor");
        assertUnavailable(await login(plain), "without one, as nobody can tell");
        assert.equal((await login(user.name, "wrong")).body.code, "invalid_credentials");
        const session = { username: user.name, password: PASSWORD };
        assertUnavailable(await ask(service, "POST", "/auth/session", {}, session), "a browser");
      });
      const done = await verify(service, token, user.recoveryCodes[0]!, "recovery_code");
      assert.equal(done.status, 200, "and what had begun goes on");
    });
  }

  it("no factor is taken for right, and none is spent", async () => {
    const user = await enrol(service, "carlo");
    const token = await firstStep(service, "carlo");
    const right = codeNow(user.secret, 1);
    await without("totp_factors", async () => assertUnavailable(await verify(service, token, right), "totp"));
    await without("recovery_codes", async () =>
      assertUnavailable(
        await verify(service, token, user.recoveryCodes[0]!, "recovery_code"),
        "recovery code",
      ),
    );
    await without("challenges", async () => {
      assertUnavailable(await verify(service, token, right), "the sign-in itself");
      assertUnavailable(await login("carlo"), "a new sign-in");
    });
    await without("lockouts", async () => assertUnavailable(await verify(service, token, right), "the lock"));
    assert.equal((await verify(service, token, right)).status, 200);
    await signInByCode(service, "carlo", user.recoveryCodes[0]!);
  });

  it("no passkey is", async () => {
    await service.createUser("doris");
    const headers = bearer((await service.login("doris")).access_token);
    const passkey = softwareAuthenticator("http://localhost:8000");
    const { body: options } = await ask(service, "POST", "/auth/passkeys/options", headers);
    const response = passkey.create(options);
    assert.equal((await ask(service, "POST", "/auth/passkeys", headers, { response })).status, 201);
    const path = "/auth/passkeys/login";
    const { body: request } = await ask(service, "POST", `${path}/options`);
    const signature = { response: passkey.get(request) };
    await without("challenges", async () => {
      assertUnavailable(await ask(service, "POST", path, {}, signature), "challenges");
      assertUnavailable(await ask(service, "POST", `${path}/options`), "options");
    });
    await without("passkeys", async () =>
      assertUnavailable(await ask(service, "POST", path, {}, signature), "passkeys"),
    );
  });

  it("no change of factors is acknowledged that the trail did not take", async () => {
    const { headers } = await enrol(service, "emma");
    await without("audit_head", async () =>
      assertUnavailable(await ask(service, "DELETE", "/auth/mfa/totp", headers), "removal"),
    );
  });
});
