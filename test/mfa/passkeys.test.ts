import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { ask, bearer } from "../service/ask.ts";
import { lockName, lockoutsOf } from "../service/lock-name.ts";
import type { TestService } from "../service/running-service.ts";
import { runService } from "../service/running-service.ts";
import { inDatabase } from "./enrol.ts";
import type { Deviation, SoftwareAuthenticator } from "./software-authenticator.ts";
import { softwareAuthenticator } from "./software-authenticator.ts";

const ORIGIN = "https://app.example.com";

describe("passkeys", () => {
  let service: TestService;
  before(async () => {
    service = await runService({ KYROS_PASSKEY_ORIGINS: `${ORIGIN},https://login.app.example.com` });
  });
  after(() => service.stop());

  const post = (path: string, headers: Record<string, string> = {}, body?: unknown) =>
    ask(service, "POST", path, headers, body);
  const optionsFor = async (headers: Record<string, string>) => {
    const { status, body } = await post("/auth/passkeys/options", headers);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  };
  const add = async (
    headers: Record<string, string>,
    passkey: SoftwareAuthenticator,
    deviation?: Deviation,
  ) =>
    post("/auth/passkeys", headers, {
      name: "laptop",
      response: passkey.create(await optionsFor(headers), deviation),
    });

  /** A user who is signed in and has a passkey. */
  async function owner(name: string, passkey = softwareAuthenticator(ORIGIN)) {
    const id = await service.createUser(name);
    const headers = bearer((await service.login(name)).access_token);
    const added = await add(headers, passkey);
    assert.equal(added.status, 201, JSON.stringify(added.body));
    return { id, headers, passkey, added };
  }

  const signInOptions = async () => (await post("/auth/passkeys/login/options")).body;
  const signIn = async (passkey: SoftwareAuthenticator, deviation?: Deviation, more: object = {}) =>
    post("/auth/passkeys/login", {}, { response: passkey.get(await signInOptions(), deviation), ...more });
  const hello = async (headers: Record<string, string>) =>
    (await ask(service, "GET", "/protected", headers)).status;
  const lastReason = (name: string) => service.events.findLast((event) => event.name === name)?.reason;

  it("are asked for by the configured domain and name no person", async () => {
    const id = await service.createUser("alba");
    const headers = { ...bearer((await service.login("alba")).access_token), host: "evil.example" };
    const options = await optionsFor(headers);
    assert.equal(options.rp.id, "app.example.com");
    assert.equal(Buffer.from(options.user.id, "base64url").toString(), id);
    assert.equal(Buffer.from(options.challenge, "base64url").length, 32);
    assert.equal(options.attestation, "none");
    const login = await signInOptions();
    assert.equal(login.rpId, "app.example.com");
    assert.equal(login.userVerification, "required");
    assert.equal(login.allowCredentials, undefined);
    assert.notEqual(login.challenge, (await signInOptions()).challenge);
  });

  for (const algorithm of ["ES256", "EdDSA"] as const) {
    it(`sign in without a password, for tokens or a cookie (${algorithm})`, async () => {
      const passkey = softwareAuthenticator(ORIGIN, algorithm);
      const { id, headers, added } = await owner(`bea${algorithm}`, passkey);
      assert.equal(added.body.recovery_codes.length, 10);
      assert.equal(added.headers.get("cache-control"), "no-store");
      const tokens = await signIn(passkey);
      assert.equal(tokens.status, 200, JSON.stringify(tokens.body));
      assert.equal(await hello(bearer(tokens.body.access_token)), 200);
      const browser = await signIn(passkey, {}, { session: "browser" });
      const cookie = browser.headers.getSetCookie()[0]!.split(";", 1)[0]!;
      assert.deepEqual([browser.body.id, await hello({ cookie })], [id, 200]);
      const { items } = (await ask(service, "GET", "/auth/passkeys", headers)).body;
      assert.equal(items.length, 1);
      assert.deepEqual(Object.keys(items[0]), ["id", "name", "created_at", "last_used_at"]);
      assert.notEqual(items[0].last_used_at, null);
      const { mfa } = (await ask(service, "GET", "/auth/user", { cookie })).body;
      assert.deepEqual(mfa, { enabled: true, totp: false, passkeys: 1, recovery_codes_left: 10 });
    });
  }

  it("are taken from each configured page", async () => {
    const { passkey } = await owner("cosma");
    assert.equal((await signIn(passkey, { origin: "https://login.app.example.com" })).status, 200);
  });

  it("are refused whatever is wrong with what they sign", async () => {
    const { passkey } = await owner("dina");
    const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    const deviations: Readonly<Record<string, Deviation>> = {
      "another origin": { origin: "https://evil.example" },
      "an origin below": { origin: "https://x.app.example.com" },
      "the origin over plain HTTP": { origin: "http://app.example.com" },
      "another domain": { rpId: "evil.example" },
      "the domain above": { rpId: "example.com" },
      "a challenge of its own": { challenge: Buffer.alloc(32, 7).toString("base64url") },
      "no challenge": { challenge: "" },
      "another ceremony": { type: "webauthn.create" },
      "a frame": { crossOrigin: true },
      "a frame that names its top": { crossOrigin: true, topOrigin: "https://evil.example" },
      "nobody present": { userPresent: false, userVerified: false },
      "no user verification": { userVerified: false },
      "another key": { signWith: stranger },
      "no user handle": { userHandle: undefined },
      "another user handle": { userHandle: Buffer.from("somebody").toString("base64url") },
    };
    for (const [what, deviation] of Object.entries(deviations)) {
      const { status, body } = await signIn(passkey, deviation);
      assert.deepEqual(
        [status, body.code, body.detail],
        [401, "invalid_credentials", "The passkey cannot be accepted."],
        what,
      );
      assert.notEqual(lastReason("auth.login.failed"), undefined, what);
    }
    assert.equal((await signIn(softwareAuthenticator(ORIGIN))).status, 401, "an unknown passkey");
    assert.equal((await signIn(passkey)).status, 200);
  });

  it("are refused as new ones by the same rules, and with a certificate that would be followed", async () => {
    await service.createUser("edda");
    const headers = bearer((await service.login("edda")).access_token);
    const deviations: readonly Deviation[] = [
      { origin: "https://evil.example" },
      { rpId: "evil.example" },
      { challenge: Buffer.alloc(32, 7).toString("base64url") },
      { type: "webauthn.get" },
      { crossOrigin: true },
      { userPresent: false },
      { attestation: "android-safetynet" },
      { attestation: "certificate" },
    ];
    const { length } = service.events;
    for (const deviation of deviations) {
      const { status, body } = await add(headers, softwareAuthenticator(ORIGIN), deviation);
      assert.deepEqual([status, body.code], [401, "mfa_invalid"], JSON.stringify(deviation));
    }
    const told = service.events.slice(length).filter(({ name }) => name === "auth.mfa.failed");
    // Both unread: what a certificate or a signed statement names is not looked at.
    const reasons = told.slice(-2).map(({ reason }) => reason);
    assert.deepEqual(reasons, ["attestation format", "attestation by certificate"]);
    assert.deepEqual((await ask(service, "GET", "/auth/passkeys", headers)).body.items, []);
  });

  it("R23: answer a challenge once, of 50 at once", async () => {
    const { passkey } = await owner("fanny");
    const response = passkey.get(await signInOptions());
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => post("/auth/passkeys/login", {}, { response })),
    );
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    assert.equal((await post("/auth/passkeys/login", {}, { response })).status, 401);
    const late = passkey.get(await signInOptions());
    inDatabase(service, (database) =>
      database.exec(`update challenges set expires_at_ms = ${Date.now() - 1}`),
    );
    assert.equal((await post("/auth/passkeys/login", {}, { response: late })).status, 401);
  });

  it("are refused, and that is told, once their counter has gone back", async () => {
    const { passkey } = await owner("gina");
    assert.equal((await signIn(passkey, { counter: 40 })).status, 200);
    for (const counter of [40, 39, 1, 0]) {
      assert.equal((await signIn(passkey, { counter })).status, 401, `${counter}`);
      const told = service.events.findLast(({ name }) => name === "auth.login.failed");
      assert.match(told?.reason ?? "", /counter went back/);
      assert.equal(told?.subject, "gina");
    }
    assert.equal((await signIn(passkey, { counter: 41 })).status, 200);
  });

  it("R27: sign in nobody who is disabled, and their owner while guesses lock the password", async () => {
    const { id, passkey } = await owner("hera");
    await service.stores.accounts.update(id, { disabled: true });
    assert.equal((await signIn(passkey)).status, 401);
    await service.stores.accounts.update(id, { disabled: false });
    await lockName(lockoutsOf(service.dataDir, service.stores), "hera", ["203.0.113.1", "127.0.0.1"]);
    await assert.rejects(service.login("hera"), /invalid_credentials/);
    assert.equal((await signIn(passkey)).status, 200);
  });

  it("belong to one user, once", async () => {
    const { passkey } = await owner("iris");
    await service.createUser("jana");
    const jana = bearer((await service.login("jana")).access_token);
    const stolen = await add(jana, passkey);
    assert.deepEqual([stolen.status, stolen.body.code], [409, "conflict"]);
  });

  it("are enrolled in the session that asked, and in no other", async () => {
    await service.createUser("kora");
    const [one, other] = [await service.login("kora"), await service.login("kora")];
    const options = await optionsFor(bearer(one.access_token));
    const response = softwareAuthenticator(ORIGIN).create(options);
    const elsewhere = await post("/auth/passkeys", bearer(other.access_token), { response });
    assert.equal(elsewhere.body.code, "mfa_invalid");
    const spent = await post("/auth/passkeys", bearer(one.access_token), { response });
    assert.equal(spent.body.code, "mfa_invalid", "an attempt spends the challenge");
  });

  it("R20: are removed by their owner alone", async () => {
    const { headers, added, passkey } = await owner("lara");
    const { headers: mallory } = await owner("mallory");
    const path = `/auth/passkeys/${added.body.id}`;
    assert.equal((await ask(service, "DELETE", path, mallory)).status, 404);
    assert.equal((await signIn(passkey)).status, 200);
    const page = async (query: string) =>
      (await ask(service, "GET", `/auth/passkeys?${query}`, headers)).body;
    assert.equal((await page("limit=1")).items[0].id, added.body.id);
    assert.deepEqual(await page(`cursor=${added.body.id}`), { items: [], next_cursor: null });
    assert.equal((await page("limit=0")).code, "validation_failed");
    assert.equal((await ask(service, "DELETE", path, headers)).status, 204);
    assert.equal((await ask(service, "DELETE", path, headers)).status, 404);
    assert.equal((await signIn(passkey)).status, 401);
    await service.login("lara");
  });
});
