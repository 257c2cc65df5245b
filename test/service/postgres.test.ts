import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { withinDeadline } from "../../src/stores/deadline.ts";
import { eventually } from "../stores/eventually.ts";
import type { PostgresServer } from "../stores/postgres-server.ts";
import { startPostgres } from "../stores/postgres-server.ts";
import { ask, bearer } from "./ask.ts";
import type { TestService } from "./running-service.ts";
import { runService } from "./running-service.ts";

/** What is promised: a revoked credential is refused by every instance within this (ms). */
const PROMISE_MS = 1000;
/** Every call to a database that does not answer ends within 5 s; a request may make two, one after the other. */
const BOUND_MS = 12_000;

describe("two instances over one PostgreSQL", () => {
  let server: PostgresServer;
  let first: TestService;
  let second: TestService;
  before(async () => {
    server = await startPostgres();
    const variables = {
      DATABASE_URL: server.url,
      KYROS_SECRET: Buffer.from(crypto.getRandomValues(new Uint8Array(64))).toString("base64url"),
    };
    // At once: one of them migrates, and the other finds it done.
    [first, second] = await Promise.all([runService(variables), runService(variables)]);
    await first.createUser("alice");
    await first.createUser("root", "admin");
  });
  after(async () => {
    await Promise.all([first.stop(), second.stop()]);
    await server.stop();
  });

  const status = async (service: TestService, token: string) =>
    (await ask(service, "GET", "/protected", bearer(token))).status;

  /** Resolves once an instance refuses a token, which was accepted until then. */
  async function refusedInTime(service: TestService, token: string): Promise<void> {
    await eventually(async () => assert.equal(await status(service, token), 401), PROMISE_MS);
  }

  it("take each other's tokens, and refuse those that the other has revoked", async () => {
    for (let round = 0; round < 10; round += 1) {
      const { access_token } = await first.login("alice");
      assert.equal(await status(second, access_token), 200);
      assert.equal(await status(second, access_token), 200);
      assert.equal((await ask(first, "POST", "/auth/logout", bearer(access_token))).status, 204);
      assert.equal(await status(first, access_token), 401);
      await refusedInTime(second, access_token);
    }
  });

  it("refuse a user whom the other has disabled, and a key that it has revoked", async () => {
    const { access_token } = await second.login("alice");
    const key = await ask(second, "POST", "/auth/api-keys", bearer(access_token), { name: "ci" });
    assert.equal(key.status, 201);
    const withKey = async (service: TestService) =>
      (await ask(service, "GET", "/protected", { "x-api-key": key.body.key })).status;
    assert.equal(await withKey(first), 200);
    await ask(second, "DELETE", `/auth/api-keys/${key.body.id}`, bearer(access_token));
    assert.equal(await withKey(second), 401);
    await eventually(async () => assert.equal(await withKey(first), 401), PROMISE_MS);

    const admin = bearer((await second.login("root")).access_token);
    const me = await ask(first, "GET", "/auth/user", bearer(access_token));
    assert.equal(me.status, 200);
    await ask(second, "PATCH", `/admin/users/${me.body.id}`, admin, { disabled: true });
    await refusedInTime(first, access_token);
    await ask(second, "PATCH", `/admin/users/${me.body.id}`, admin, { disabled: false });
  });

  it("take each other's changes of settings, and go on with the last known ones while the database is frozen", async () => {
    const admin = bearer((await first.login("root")).access_token);
    const policyOf = async (service: TestService) =>
      (await ask(service, "GET", "/protected")).headers.get("ratelimit-policy");
    for (const [limit, shown] of [
      ["700/1m", '"default";q=700;w=60'],
      ["800/1m", '"default";q=800;w=60'],
    ] as const) {
      assert.equal((await ask(first, "PATCH", "/admin/settings", admin, { rate_limit: limit })).status, 200);
      assert.equal(await policyOf(first), shown);
      await eventually(async () => assert.equal(await policyOf(second), shown), PROMISE_MS);
    }
    server.pause();
    try {
      await new Promise((resolve) => setTimeout(resolve, PROMISE_MS));
      assert.equal(await policyOf(second), '"default";q=800;w=60');
    } finally {
      server.resume();
    }
    await eventually(async () => {
      const back = await ask(second, "PATCH", "/admin/settings", admin, { rate_limit: null });
      assert.equal(back.status, 200);
    });
    await eventually(async () => assert.equal(await policyOf(first), null), PROMISE_MS);
  });

  it("say so and refuse in time while it is frozen, and serve again when it is back", async () => {
    const { access_token } = await first.login("alice");
    assert.equal(await status(first, access_token), 200);
    server.pause();
    try {
      await new Promise((resolve) => setTimeout(resolve, PROMISE_MS));
      const asked = Promise.all([
        ask(first, "GET", "/readyz"),
        ask(first, "GET", "/healthz"),
        ask(first, "GET", "/protected", bearer(access_token)),
        ask(first, "GET", "/protected"),
      ]);
      const [ready, alive, refused, anonymous] = await withinDeadline(asked, BOUND_MS);
      assert.equal(ready.status, 503);
      assert.deepEqual(ready.body, {
        status: "not_ready",
        dependencies: { database: { status: "unavailable" } },
      });
      assert.equal(alive.status, 200);
      assert.deepEqual([refused.status, refused.body.code], [503, "unavailable"]);
      assert.equal(anonymous.status, 401);
      assert.ok(!JSON.stringify(refused.body).includes("database"), "the cause is for the log");
    } finally {
      server.resume();
    }
    await eventually(async () => assert.equal((await ask(first, "GET", "/readyz")).status, 200));
    await eventually(async () => assert.equal(await status(first, access_token), 200));
  });

  it("outlive a crash of the database with their sessions", async () => {
    let access_token = "";
    // Sign-ins wait for the audit trail, which notices within a second that it can be written again.
    await eventually(async () => {
      ({ access_token } = await first.login("alice"));
    });
    await server.restart("immediate");
    for (const service of [first, second]) {
      await eventually(async () => assert.equal(await status(service, access_token), 200));
    }
  });
});
