import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ask, bearer, fromPage } from "./ask.ts";
import type { TestService } from "./running-service.ts";
import { PASSWORD, runService } from "./running-service.ts";

describe("a change of role", () => {
  let service: TestService;
  let root: { authorization: string };
  before(async () => {
    service = await runService();
    await service.createUser("root", "admin");
    root = bearer((await service.login("root")).access_token);
  });
  after(() => service.stop());

  const patch = (id: string, change: object) => ask(service, "PATCH", `/admin/users/${id}`, root, change);
  const hello = (headers: Record<string, string>) => ask(service, "GET", "/protected", headers);
  const administer = (headers: Record<string, string>) => ask(service, "GET", "/admin/users", headers);
  const roleOf = (token: string) =>
    JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString()).role as string;
  const refresh = (token: string) => ask(service, "POST", "/auth/refresh", {}, { refresh_token: token });

  for (const [name, from, to] of [
    ["raised", "user", "admin"],
    ["lowered", "admin", "moderator"],
  ] as const) {
    it(`R18: ends the browser sessions of a user who is ${name}, and the next has ids of its own`, async () => {
      const id = await service.createUser(name, from);
      const before = await service.browser(name);
      assert.equal((await patch(id, { role: to })).status, 200);
      const told = service.events.filter((event) => event.name === "auth.session.ended");
      assert.equal(told.at(-1)?.actor.kind, "user");

      const refused = await hello({ cookie: before.cookie });
      assert.deepEqual([refused.status, refused.body.code], [401, "unauthenticated"]);
      assert.equal((await administer({ cookie: before.cookie })).status, 401);
      const after = await service.browser(name);
      assert.notEqual(after.cookie, before.cookie);
      assert.notEqual(after.csrf, before.csrf);
      assert.equal((await hello({ cookie: after.cookie })).status, 200);
      assert.equal((await administer({ cookie: after.cookie })).status, to === "admin" ? 200 : 403);
      // A proof of the old session is none for the new one, and the old cookie none beside the new proof.
      const end = (headers: Record<string, string>) => ask(service, "DELETE", "/auth/sessions", headers);
      assert.equal((await end(fromPage({ cookie: after.cookie, csrf: before.csrf }))).status, 403);
      assert.equal((await end(fromPage({ cookie: before.cookie, csrf: after.csrf }))).status, 401);
      assert.equal((await end(fromPage(after))).status, 204);
    });
  }

  it("R18: ends a browser session at the instant of the change, also one that nothing has ended yet", async () => {
    const id = await service.createUser("instant");
    const { cookie } = await service.browser("instant");
    const roleChangedAtMs = Date.now() + 1;
    await service.stores.accounts.update(id, { role: "moderator", roleChangedAtMs });
    assert.equal((await hello({ cookie })).status, 401);
  });

  it("R40: counts for access tokens at the next request, and for their claims at the next refresh", async () => {
    const id = await service.createUser("tokens", "admin");
    const { access_token, refresh_token } = await service.login("tokens");
    assert.equal((await administer(bearer(access_token))).status, 200);
    await patch(id, { role: "user" });
    const refused = await administer(bearer(access_token));
    assert.deepEqual([refused.status, refused.body.code], [403, "insufficient_role"]);
    assert.equal((await hello(bearer(access_token))).status, 200);
    const { status, body } = await refresh(refresh_token);
    assert.equal(status, 200);
    assert.deepEqual([roleOf(access_token), roleOf(body.access_token)], ["admin", "user"]);
    assert.equal((await administer(bearer(body.access_token))).status, 403);

    await patch(id, { role: "admin" });
    assert.equal((await administer(bearer(body.access_token))).status, 200);
    assert.equal(roleOf((await refresh(body.refresh_token)).body.access_token), "admin");
  });

  it("that is none ends nothing, nor does any other change", async () => {
    const id = await service.createUser("same", "moderator");
    const { cookie } = await service.browser("same");
    for (const change of [{ role: "moderator" }, { email: "other@example.org" }, { disabled: false }]) {
      assert.equal((await patch(id, change)).status, 200);
      assert.equal((await hello({ cookie })).status, 200, JSON.stringify(change));
    }
  });

  it("leaves an admin who steps down signed out of the browser alone", async () => {
    const id = await service.createUser("stepping", "admin");
    const browser = await service.browser("stepping");
    const headers = fromPage(browser);
    const down = await ask(service, "PATCH", `/admin/users/${id}`, headers, { role: "user" });
    assert.deepEqual([down.status, down.body.role], [200, "user"]);
    const up = await ask(service, "PATCH", `/admin/users/${id}`, headers, { role: "admin" });
    assert.equal(up.status, 401);
    const login = await ask(service, "POST", "/auth/login", {}, { username: "stepping", password: PASSWORD });
    assert.equal((await administer(bearer(login.body.access_token))).status, 403);
  });
});
