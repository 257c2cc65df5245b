import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ask, fromPage } from "./ask.ts";
import type { TestService } from "./running-service.ts";
import { PASSWORD, runService } from "./running-service.ts";

const NEW_PASSWORD = "quite another horse and staple";

describe("R18: session fixation", () => {
  let service: TestService;
  before(async () => {
    service = await runService();
  });
  after(() => service.stop());

  const hello = async (cookie: string) => (await ask(service, "GET", "/protected", { cookie })).status;
  const csrfOf = async (cookie?: string) =>
    (await ask(service, "GET", "/auth/csrf", cookie === undefined ? {} : { cookie })).body
      .csrf_token as string;
  /** A state-changing request that ends nothing. */
  const changes = (cookie: string, csrf: string) =>
    ask(service, "POST", "/auth/api-keys", fromPage({ cookie, csrf }), { name: "x" });
  const cookieOf = ({ headers }: { headers: Headers }) => headers.getSetCookie()[0]!.split(";", 1)[0]!;
  const signIn = (username: string, headers: Record<string, string> = {}) =>
    ask(service, "POST", "/auth/session", headers, { username, password: PASSWORD });

  it("has nothing to fix before a sign-in: neither a cookie nor a proof of before is worth anything after", async () => {
    await service.createUser("ines");
    const planted = await csrfOf();
    const cookie = cookieOf(await signIn("ines", { cookie: `kyros_session=${"A".repeat(43)}` }));
    assert.notEqual(cookie, `kyros_session=${"A".repeat(43)}`);
    assert.equal((await changes(cookie, planted)).body.code, "csrf_invalid");
    assert.equal((await changes(cookie, await csrfOf(cookie))).status, 201);
  });

  it("ends with a sign-in over another session, whoever's that was: its cookie and its proof are dead", async () => {
    await service.createUser("mara");
    await service.createUser("vera");
    for (const victim of ["mara", "vera"]) {
      const planted = await service.browser("mara");
      const cookie = cookieOf(await signIn(victim, { cookie: planted.cookie }));
      assert.notEqual(cookie, planted.cookie);
      assert.equal(await hello(planted.cookie), 401);
      assert.equal((await changes(cookie, planted.csrf)).body.code, "csrf_invalid");
    }
  });

  it("ends with a change of password: cookie and proof are new, and the ones of before are dead", async () => {
    await service.createUser("nora");
    const before_ = await service.browser("nora");
    const wanted = { current_password: PASSWORD, new_password: NEW_PASSWORD };
    const changed = await ask(service, "POST", "/auth/password", fromPage(before_), wanted);
    assert.equal(changed.status, 204);
    const cookie = cookieOf(changed);
    assert.equal(await hello(before_.cookie), 401);
    assert.equal(await hello(cookie), 200);
    assert.equal((await changes(cookie, before_.csrf)).body.code, "csrf_invalid");
    assert.equal((await changes(cookie, await csrfOf(cookie))).status, 201);
  });
});
