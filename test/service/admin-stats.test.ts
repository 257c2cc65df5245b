import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ask, bearer } from "./ask.ts";
import type { TestService } from "./running-service.ts";
import { PASSWORD, runService } from "./running-service.ts";

describe("GET /admin/stats", () => {
  let service: TestService;
  let root: { authorization: string };
  before(async () => {
    service = await runService();
    await service.createUser("root", "admin");
    await service.createUser("alice");
    root = bearer((await service.login("root")).access_token);
  });
  after(() => service.stop());

  const stats = (headers: Record<string, string>) => ask(service, "GET", "/admin/stats", headers);

  it("counts what there is, and says how the instance does", async () => {
    const before = (await stats(root)).body;
    const { access_token } = await service.login("alice");
    await ask(service, "POST", "/auth/login", {}, { username: "alice", password: "wrong" });
    const key = { name: "soon", expires_in: "3d" };
    assert.equal((await ask(service, "POST", "/auth/api-keys", bearer(access_token), key)).status, 201);
    const { status, headers, body } = await stats(root);
    assert.equal(status, 200);
    assert.equal(headers.get("cache-control"), "no-store");
    assert.deepEqual(body.users, {
      user: { total: 1, disabled: 0 },
      moderator: { total: 0, disabled: 0 },
      admin: { total: 1, disabled: 0 },
    });
    assert.deepEqual(body.sessions, { live: before.sessions.live + 1 });
    assert.deepEqual(body.api_keys, { live: 1, expiring_soon: 1 });
    assert.equal(body.sign_ins.succeeded, before.sign_ins.succeeded + 1);
    assert.equal(body.sign_ins.failed, 1);
    assert.equal(Date.parse(body.at) - Date.parse(body.sign_ins.since), 86_400_000);
    assert.deepEqual(body.at_least, []);
    const manifest = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8"));
    assert.equal(body.instance.version, manifest.version);
    assert.ok(body.instance.uptime_seconds >= 0 && Date.parse(body.instance.started_at) <= Date.now());
    assert.deepEqual(body.instance.hashing, { waiting: 0, running: 0, refused: 0 });
    assert.deepEqual([body.instance.limits, body.instance.redis], ["memory", null]);
    assert.ok(!JSON.stringify(body).includes("alice") && !JSON.stringify(body).includes(PASSWORD));
  });

  it("is an admin's, and of a key with the scope", async () => {
    assert.equal((await stats({})).status, 401);
    assert.equal((await stats(bearer((await service.login("alice")).access_token))).status, 403);
    for (const [scope, status] of [
      ["admin:stats:read", 200],
      ["admin:users:read", 403],
    ] as const) {
      const made = await ask(service, "POST", "/auth/api-keys", root, { name: scope, scopes: [scope] });
      assert.equal((await stats({ "x-api-key": made.body.key })).status, status);
    }
  });
});
