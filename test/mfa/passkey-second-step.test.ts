import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ask, bearer } from "../service/ask.ts";
import type { TestService } from "../service/running-service.ts";
import { PASSWORD, runService } from "../service/running-service.ts";
import { enrol, firstStep, signInByCode } from "./enrol.ts";
import { softwareAuthenticator } from "./software-authenticator.ts";

const ORIGIN = "http://localhost:8000";

describe("a passkey as second factor", () => {
  let service: TestService;
  before(async () => {
    service = await runService();
  });
  after(() => service.stop());

  const post = (path: string, headers: Record<string, string> = {}, body?: unknown) =>
    ask(service, "POST", path, headers, body);
  const verify = (mfa_token: string, response: object) =>
    post("/auth/mfa/verify", {}, { mfa_token, method: "passkey", response });
  const optionsOf = async (mfa_token?: string) =>
    post("/auth/passkeys/login/options", {}, mfa_token === undefined ? undefined : { mfa_token });
  const assertInvalid = ({ status, body }: { status: number; body: { code: string } }, what: string) =>
    assert.deepEqual([status, body.code], [401, "mfa_invalid"], what);

  async function owner(name: string) {
    await service.createUser(name);
    const headers = bearer((await service.login(name)).access_token);
    const passkey = softwareAuthenticator(ORIGIN);
    const { body: options } = await post("/auth/passkeys/options", headers);
    // As a key without a PIN does it: it shows that somebody is there, not who.
    const response = passkey.create(options, { userVerified: false });
    const { status, body } = await post("/auth/passkeys", headers, { response });
    assert.equal(status, 201, JSON.stringify(body));
    return { headers, passkey, recoveryCodes: body.recovery_codes as string[] };
  }

  it("is asked for after the password, by name, and completes the sign-in that began", async () => {
    const { passkey } = await owner("anja");
    const credentials = { username: "anja", password: PASSWORD };
    const { body } = await post("/auth/session", {}, credentials);
    assert.deepEqual(body.methods, ["passkey", "recovery_code"]);
    const options = (await optionsOf(body.mfa_token)).body;
    assert.deepEqual(
      options.allowCredentials.map(({ id }: { id: string }) => id),
      [passkey.credentialId],
    );
    const done = await verify(
      body.mfa_token,
      passkey.get(options, { userVerified: false, userHandle: undefined }),
    );
    assert.equal(done.status, 200, JSON.stringify(done.body));
    const cookie = done.headers.getSetCookie()[0]!.split(";", 1)[0]!;
    assert.equal((await ask(service, "GET", "/protected", { cookie })).status, 200);
  });

  it("is nobody's without user verification where there was no password", async () => {
    const { passkey } = await owner("bodo");
    const response = passkey.get((await optionsOf()).body, { userVerified: false });
    assert.equal((await post("/auth/passkeys/login", {}, { response })).status, 401);
  });

  it("answers the challenge of its own sign-in, and no other", async () => {
    const { passkey } = await owner("cara");
    const { passkey: foreign } = await owner("dave");
    const [token, other] = [await firstStep(service, "cara"), await firstStep(service, "cara")];
    const daves = await firstStep(service, "dave");
    const get = async (mfa_token?: string, by = passkey) => by.get((await optionsOf(mfa_token)).body);
    assertInvalid(await verify(token, await get(token, foreign)), "another user's passkey");
    assertInvalid(await verify(token, await get(other)), "another sign-in of this user");
    assertInvalid(await verify(token, await get(daves)), "another user's sign-in");
    assertInvalid(await verify(token, await get()), "a sign-in without a password");
    const response = await get(token);
    assert.equal((await post("/auth/passkeys/login", {}, { response })).status, 401, "the other way round");
    assertInvalid(await verify(other, await get(token)), "and crosswise");
    assert.equal((await verify(token, await get(token))).status, 200, "the fifth try");
    assertInvalid(await verify(token, response), "over");
    assertInvalid(await optionsOf(token), "no options for what is over");
    assertInvalid(await optionsOf("A".repeat(43)), "nor for what never was");
  });

  it("can be lost: a recovery code goes on, and recovery codes end with the last factor", async () => {
    const { recoveryCodes } = await owner("ella");
    const headers = await signInByCode(service, "ella", recoveryCodes[0]!);
    const { items } = (await ask(service, "GET", "/auth/passkeys", headers)).body;
    assert.equal((await ask(service, "DELETE", `/auth/passkeys/${items[0].id}`, headers)).status, 204);
    const { body } = await ask(service, "GET", "/auth/user", headers);
    assert.deepEqual(body.mfa, { enabled: false, totp: false, passkeys: 0, recovery_codes_left: 0 });
    await service.login("ella");
  });

  it("is added beside an app without new recovery codes", async () => {
    const { headers } = await enrol(service, "fina");
    const passkey = softwareAuthenticator(ORIGIN);
    const { body: options } = await post("/auth/passkeys/options", headers);
    const { body } = await post("/auth/passkeys", headers, { response: passkey.create(options) });
    assert.equal(body.recovery_codes, undefined);
    assert.equal(body.name, "passkey");
    const login = await post("/auth/login", {}, { username: "fina", password: PASSWORD });
    assert.deepEqual(login.body.methods, ["totp", "passkey", "recovery_code"]);
  });

  it("stays where it is all that an imported account without a password signs in with", async () => {
    const { headers } = await owner("gero");
    const { id } = (await ask(service, "GET", "/auth/user", headers)).body;
    await service.stores.accounts.update(id, { passwordHash: null });
    const { items } = (await ask(service, "GET", "/auth/passkeys", headers)).body;
    const { status, body } = await ask(service, "DELETE", `/auth/passkeys/${items[0].id}`, headers);
    assert.deepEqual([status, body.code], [409, "conflict"]);
  });
});

it("passkeys that are off are asked of nobody, and bypassed by nobody who has one", async () => {
  const service = await runService({ KYROS_PASSKEY_ORIGINS: "off" });
  try {
    const id = await service.createUser("hugo");
    const headers = bearer((await service.login("hugo")).access_token);
    await service.stores.factors.addPasskey(
      {
        id: "01890000-0000-7000-8000-000000000001",
        userId: id,
        credentialId: "AAAA",
        publicKey: "AAAA",
        counter: 0,
        name: "from before",
        transports: [],
        createdAtMs: 1,
        lastUsedAtMs: null,
      },
      ["a hash"],
    );
    const response = softwareAuthenticator(ORIGIN).get({ challenge: "AAAA", rpId: "localhost" });
    for (const [path, body] of [
      ["/auth/passkeys/login/options", undefined],
      ["/auth/passkeys/login", { response }],
    ] as const) {
      assert.equal((await ask(service, "POST", path, {}, body)).status, 404, path);
    }
    assert.equal((await ask(service, "POST", "/auth/passkeys/options", headers)).status, 401);
    const asked = await ask(service, "POST", "/auth/login", {}, { username: "hugo", password: PASSWORD });
    assert.deepEqual([asked.body.code, asked.body.methods], ["mfa_required", ["recovery_code"]]);
    const mfa_token = await firstStep(service, "hugo");
    const verified = await ask(
      service,
      "POST",
      "/auth/mfa/verify",
      {},
      { mfa_token, method: "passkey", response },
    );
    assert.equal(verified.status, 401);
  } finally {
    await service.stop();
  }
});
