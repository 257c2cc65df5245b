import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { LOCKOUT_POLICY } from "../../src/identity/accounts/lockouts.ts";
import type { Answer } from "./ask.ts";
import { ask, bearer } from "./ask.ts";
import { lockName, lockoutsOf } from "./lock-name.ts";
import type { TestService } from "./running-service.ts";
import { PASSWORD, runService } from "./running-service.ts";

const { mostFailures } = LOCKOUT_POLICY;

/** What a caller can see of an answer but for the moment it was given in. */
function visible({ status, headers, body }: Answer) {
  const names = [...headers].map(([name, value]) =>
    ["date", "x-request-id"].includes(name) ? name : `${name}: ${value}`,
  );
  return { status, headers: names, body: { ...body, instance: "" } };
}

describe("a locked name", () => {
  let service: TestService;
  before(async () => {
    // The address of a caller is what the proxy on this machine says.
    service = await runService({ KYROS_TRUST_PROXY: "127.0.0.1/32" });
  });
  after(() => service.stop());

  const login = (username: string, password: string, address = "203.0.113.1") =>
    ask(service, "POST", "/auth/login", { "x-forwarded-for": address }, { username, password });
  const lock = (name: string, addresses: readonly string[]) =>
    lockName(lockoutsOf(service.dataDir, service.stores), name, addresses);

  it("is answered as a wrong password and an unknown name are, by guesses over HTTP", async () => {
    const id = await service.createUser("alice");
    await service.createUser("bob");
    let last: Answer | undefined;
    for (let i = 0; i < mostFailures; i += 10) {
      const tries = Array.from({ length: 10 }, (_, j) => login("ALICE", "wrong", `198.51.100.${i + j}`));
      last = (await Promise.all(tries)).at(-1);
    }
    const locks = service.events.filter(({ details }) => details?.["locked"] === true);
    assert.deepEqual(
      locks.map(({ name, subject }) => [name, subject]),
      [["user.updated", id]],
    );

    const right = await login("alice", PASSWORD);
    assert.equal(right.body.code, "invalid_credentials");
    for (const other of [
      last!,
      await login("alice", "wrong"),
      await login("bob", "wrong"),
      await login("nobody", PASSWORD),
    ]) {
      assert.deepEqual(visible(other), visible(right));
    }
    const browser = await ask(
      service,
      "POST",
      "/auth/session",
      {},
      { username: "alice", password: PASSWORD },
    );
    assert.deepEqual([browser.status, browser.headers.getSetCookie()], [401, []]);
    assert.equal((await login("bob", PASSWORD)).status, 200);
  });

  it("R27: still signs in where it has signed in before, and keeps its sessions, tokens and keys", async () => {
    await service.createUser("clara");
    assert.equal((await login("clara", PASSWORD, "192.0.2.1")).status, 200);
    const { access_token, refresh_token } = await service.login("clara");
    await lock("clara", ["203.0.113.1"]);
    assert.equal((await login("clara", PASSWORD, "203.0.113.1")).status, 401);
    assert.equal((await login("clara", PASSWORD, "192.0.2.1")).status, 200);
    assert.equal((await login("clara", PASSWORD, "192.0.2.2")).status, 401);
    assert.equal((await ask(service, "GET", "/protected", bearer(access_token))).status, 200);
    assert.equal((await ask(service, "POST", "/auth/refresh", {}, { refresh_token })).status, 200);
  });

  it("R28: is let in by no other way to show the password, and unlocked by no other credential", async () => {
    await service.createUser("dora");
    const { access_token, refresh_token } = await service.login("dora");
    await lock("dora", ["203.0.113.1", "127.0.0.1"]);
    const form = new URLSearchParams({ grant_type: "password", username: "dora", password: PASSWORD });
    const change = { current_password: PASSWORD, new_password: "quite another horse and staple" };
    const shows = {
      form: () => ask(service, "POST", "/auth/login", {}, form),
      browser: () => ask(service, "POST", "/auth/session", {}, { username: "dora", password: PASSWORD }),
      confirmation: () => ask(service, "POST", "/auth/password", bearer(access_token), change),
    };
    for (const [how, show] of Object.entries(shows)) {
      const { status, body } = await show();
      assert.deepEqual([status, body.code], [401, "invalid_credentials"], how);
    }
    assert.equal((await ask(service, "POST", "/auth/refresh", {}, { refresh_token })).status, 200);
    assert.equal((await ask(service, "GET", "/protected", bearer(access_token))).status, 200);
    assert.equal((await login("dora", PASSWORD)).status, 401, "neither lifts the lock");
  });

  it("R28: leaves the count as it was at a refresh, and begins it afresh at a sign-in alone", async () => {
    await service.createUser("emma");
    const { access_token, refresh_token } = await service.login("emma");
    const lockouts = lockoutsOf(service.dataDir, service.stores);
    const fail = (address: string) =>
      lockouts.settle("emma", false, { atMs: Date.now(), actor: { kind: "anonymous" }, address });
    for (let i = 1; i < mostFailures; i++) await fail("203.0.113.1");
    await ask(service, "POST", "/auth/refresh", {}, { refresh_token });
    await ask(service, "GET", "/protected", bearer(access_token));
    assert.equal(await fail("203.0.113.2"), "locked_now");
  });

  it("signs in again once an admin enables it", async () => {
    await service.createUser("root", "admin");
    const root = bearer((await service.login("root")).access_token);
    const id = await service.createUser("fred");
    await lock("fred", ["203.0.113.1"]);
    assert.equal((await login("fred", PASSWORD)).status, 401);
    assert.equal((await ask(service, "PATCH", `/admin/users/${id}`, root, { disabled: false })).status, 200);
    assert.equal((await login("fred", PASSWORD)).status, 200);
    const told = service.events.filter(({ subject, details }) => subject === id && details);
    assert.deepEqual(
      told.map(({ name, details }) => [name, details]),
      [
        ["user.updated", { disabled: false }],
        ["user.updated", { locked: false }],
      ],
    );
  });
});
