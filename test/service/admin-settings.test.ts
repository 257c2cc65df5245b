import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { ask, bearer } from "./ask.ts";
import type { TestService } from "./running-service.ts";
import { PASSWORD, runService } from "./running-service.ts";

describe("adjustable settings", () => {
  let service: TestService;
  let rootId: string;
  let root: { authorization: string };
  before(async () => {
    service = await runService({ KYROS_RATE_LIMIT: "1000/1m", KYROS_LOGIN_RATE_LIMIT: "500/1m" });
    rootId = await service.createUser("root", "admin");
    await service.createUser("alice");
    root = bearer((await service.login("root")).access_token);
  });
  after(() => service.stop());

  const get = (headers: Record<string, string> = root) => ask(service, "GET", "/admin/settings", headers);
  const patch = (body: unknown, headers: Record<string, string> = root) =>
    ask(service, "PATCH", "/admin/settings", headers, body);
  const item = (answer: { body: { items: { name: string }[] } }, name: string) =>
    answer.body.items.find((one) => one.name === name);
  const changes = () => service.events.filter(({ name }) => name === "settings.changed");

  it("are shown with what the environment says", async () => {
    const answer = await get();
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("cache-control"), "no-store");
    assert.equal(answer.body.next_cursor, null);
    const unchanged = { source: "environment", changed_at: null, changed_by: null };
    assert.deepEqual(answer.body.items, [
      { name: "rate_limit", value: "1000/1m", default: "1000/1m", ...unchanged },
      { name: "login_rate_limit", value: "500/1m", default: "500/1m", ...unchanged },
      { name: "registration", value: "off", default: "off", ...unchanged },
      { name: "log_level", value: "info", default: "info", ...unchanged },
    ]);
  });

  it("hold from the next request on, until they go back to the environment's", async () => {
    const changed = await patch({ rate_limit: "40/60s" });
    assert.equal(changed.status, 200);
    const shown = item(changed, "rate_limit") as unknown as Record<string, string>;
    assert.equal(shown["value"], "40/1m");
    assert.equal(shown["default"], "1000/1m");
    assert.equal(shown["source"], "database");
    assert.equal(shown["changed_by"], rootId);
    assert.ok(Math.abs(Date.parse(shown["changed_at"]!) - Date.now()) < 60_000);
    const next = await get();
    assert.equal(next.headers.get("ratelimit-policy"), '"default";q=40;w=60');
    assert.deepEqual(item(next, "rate_limit"), shown);
    const config = await ask(service, "GET", "/security/config", root);
    assert.equal(config.body.KYROS_RATE_LIMIT, "40/1m");

    const back = await patch({ rate_limit: null });
    assert.equal((item(back, "rate_limit") as unknown as Record<string, string>)["source"], "environment");
    assert.equal((await get()).headers.get("ratelimit-policy"), '"default";q=1000;w=60');
  });

  it("limit sign-ins anew", async () => {
    await patch({ login_rate_limit: "2/1m" });
    const tries = [];
    for (let n = 0; n < 3; n += 1) {
      const body = { username: "alice", password: "wrong" };
      tries.push((await ask(service, "POST", "/auth/login", {}, body)).status);
    }
    assert.deepEqual(tries, [401, 401, 429]);
    await patch({ login_rate_limit: null });
    await service.login("alice");
  });

  it("open and close registration", async () => {
    const register = (name: string) =>
      ask(
        service,
        "POST",
        "/auth/register",
        {},
        { username: name, email: `${name}@example.org`, password: PASSWORD },
      );
    const closed = await register("carol");
    assert.deepEqual([closed.status, closed.body.code], [404, "not_found"]);
    assert.equal((await ask(service, "POST", "/auth/register", {}, { no: "body" })).status, 404);
    await patch({ registration: "on" });
    assert.equal((await register("carol")).status, 201);
    await patch({ registration: "off" });
    assert.equal((await register("dave")).status, 404);
    await patch({ registration: null });
  });

  it("are recorded, one event for each that changed, and none for what was so before", async () => {
    const from = changes().length;
    await patch({ registration: "on", log_level: "debug" });
    await patch({ registration: "on" });
    await patch({ registration: null, log_level: null, rate_limit: null });
    assert.deepEqual(
      changes()
        .slice(from)
        .map(({ subject, actor, details }) => [subject, "id" in actor && actor.id, details]),
      [
        ["registration", rootId, { old: "off", new: "on", source: "database" }],
        ["log_level", rootId, { old: "info", new: "debug", source: "database" }],
        ["registration", rootId, { old: "on", new: "off", source: "environment" }],
        ["log_level", rootId, { old: "debug", new: "info", source: "environment" }],
      ],
    );
  });

  it("are refused as a whole where one is wrong, and nothing changes", async () => {
    const from = changes().length;
    const WRONG: readonly (readonly [unknown, string])[] = [
      [{ rate_limit: "5/1m", log_level: "loud" }, "log_level"],
      [{ rate_limit: "1/366d" }, "rate_limit"],
      [{ rate_limit: 5 }, "rate_limit"],
      [{ registration: true }, "registration"],
      [{ csrf: "off" }, "csrf"],
      [{ rate_limit: "5/1m", KYROS_CSRF: "off" }, "KYROS_CSRF"],
    ];
    for (const [body, field] of WRONG) {
      const answer = await patch(body);
      assert.deepEqual([answer.status, answer.body.code], [400, "validation_failed"], JSON.stringify(body));
      assert.ok(
        answer.body.errors.some((error: { field: string }) => error.field === field),
        JSON.stringify(answer.body),
      );
    }
    for (const body of [{}, [], null, "off"]) assert.equal((await patch(body)).status, 400);
    assert.equal((await get()).headers.get("ratelimit-policy"), '"default";q=1000;w=60');
    assert.equal(changes().length, from);
  });

  it("are an admin's, and of a key with the scope; a browser shows its CSRF token", async () => {
    const alice = bearer((await service.login("alice")).access_token);
    assert.equal((await get({})).status, 401);
    assert.equal((await get(alice)).status, 403);
    assert.equal((await patch({ registration: "on" }, alice)).status, 403);

    const newKey = async (scope: string) => {
      const made = await ask(service, "POST", "/auth/api-keys", root, { name: scope, scopes: [scope] });
      return { "x-api-key": made.body.key as string };
    };
    const reader = await newKey("admin:settings:read");
    assert.equal((await get(reader)).status, 200);
    assert.equal((await patch({ registration: "on" }, reader)).status, 403);
    assert.equal((await patch({ log_level: null }, await newKey("admin:settings:write"))).status, 200);

    const { cookie, csrf } = await service.browser("root");
    assert.equal((await patch({ registration: "on" }, { cookie })).status, 403);
    const withToken = { cookie, "x-csrf-token": csrf };
    assert.equal((await patch({ registration: "on" }, withToken)).status, 200);
    assert.equal((await patch({ registration: null }, withToken)).status, 200);
  });

  it("are not changed where that cannot be recorded", async () => {
    const closed = await runService();
    try {
      await closed.createUser("root", "admin");
      const admin = bearer((await closed.login("root")).access_token);
      const database = new DatabaseSync(`${closed.dataDir}/kyros.db`);
      database.exec("alter table audit_head rename to audit_head_away");
      // What finds out that the trail is away; from then on nothing that must be recorded is done.
      await ask(closed, "POST", "/auth/login", {}, { username: "root", password: PASSWORD });
      const answer = await ask(closed, "PATCH", "/admin/settings", admin, { registration: "on" });
      assert.equal(answer.status, 503);
      assert.deepEqual(await closed.stores.settings.current(), {});
      database.close();
    } finally {
      await closed.stop();
    }
  });
});
