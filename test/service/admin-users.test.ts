import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { systemRandom, uuidv7 } from "../../src/kernel/random.ts";
import { ask, bearer } from "./ask.ts";
import type { TestService } from "./running-service.ts";
import { PASSWORD, runService } from "./running-service.ts";

describe("administration of users", () => {
  let service: TestService;
  let rootId: string;
  let root: { authorization: string };
  before(async () => {
    service = await runService();
    rootId = await service.createUser("root", "admin");
    root = bearer((await service.login("root")).access_token);
  });
  after(() => service.stop());

  const get = (path: string, headers = root) => ask(service, "GET", `/admin/users${path}`, headers);
  const create = (body: unknown, headers = root) => ask(service, "POST", "/admin/users", headers, body);
  const patch = (id: string, body: unknown, headers = root) =>
    ask(service, "PATCH", `/admin/users/${id}`, headers, body);
  const hello = (headers: Record<string, string>) => ask(service, "GET", "/protected", headers);
  const signIn = async (name: string) => bearer((await service.login(name)).access_token);
  const names = (items: { username: string }[]) => items.map(({ username }) => username);

  it("lists them page by page, each once, and finds them by a part of the name", async () => {
    for (const name of ["page1", "page2", "page3", "page4"]) await service.createUser(name);
    const all = names((await get("?limit=200")).body.items);
    const paged: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const { status, body } = await get(`?limit=2${cursor && `&cursor=${cursor}`}`);
      assert.equal(status, 200);
      assert.equal(body.items.length <= 2, true);
      paged.push(...names(body.items));
      cursor = body.next_cursor;
    }
    assert.deepEqual(paged, all);
    assert.equal(new Set(paged).size, paged.length);

    assert.deepEqual(names((await get("?search=page3")).body.items), ["page3"]);
    assert.deepEqual(names((await get("?search=PAGE")).body.items), ["page1", "page2", "page3", "page4"]);
    for (const nothing of ["%25", "_age3", "'%20OR%201=1"]) {
      assert.deepEqual((await get(`?search=${nothing}`)).body.items, [], nothing);
    }
    for (const wrong of ["?limit=0", "?limit=201", "?limit=x", "?cursor=x", "?order=name", "?search="]) {
      assert.equal((await get(wrong)).status, 400, wrong);
    }
  });

  it("says of a field that may be null in one line what it has to be", async () => {
    for (const [email, message] of [
      ["nope", "must be an e-mail address"],
      [5, "must be string"],
    ] as const) {
      const { status, body } = await patch(rootId, { email });
      assert.equal(status, 400);
      assert.deepEqual(body.errors, [{ field: "email", message }]);
    }
  });

  it("shows one, without anything secret", async () => {
    const { status, body } = await get(`/${rootId}`);
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(body).sort(), [
      "created_at",
      "disabled",
      "email",
      "id",
      "last_login_at",
      "mfa",
      "role",
      "username",
    ]);
    assert.equal((await get(`/${uuidv7(Date.now(), systemRandom)}`)).status, 404);
  });

  it("creates one with a generated password, shown once, that signs in", async () => {
    const made = await create({ username: "gina", email: "gina@example.org", role: "moderator" });
    assert.equal(made.status, 201);
    assert.equal(made.headers.get("cache-control"), "no-store");
    const { password, ...user } = made.body;
    assert.equal(user.role, "moderator");
    assert.deepEqual((await get(`/${user.id}`)).body, user);
    const login = await ask(service, "POST", "/auth/login", {}, { username: "gina", password });
    assert.equal(login.status, 200);
    assert.equal(JSON.stringify(service.events).includes(password), false);

    const chosen = await create({ username: "greta", password: PASSWORD });
    assert.equal(chosen.status, 201);
    assert.equal("password" in chosen.body, false);
    assert.equal(chosen.body.role, "user");
  });

  it("refuses a taken name, an unknown role, a weak password and unknown fields", async () => {
    assert.equal((await create({ username: "hugo" })).status, 201);
    const taken = await create({ username: "HUGO" });
    assert.equal(taken.status, 409);
    assert.equal(taken.body.code, "conflict");
    const wrong = [
      { username: "ida", role: "owner" },
      { username: "ida", password: "password" },
      { username: "ida", disabled: false },
      { username: " " },
      { username: "ida", email: "nowhere" },
      {},
    ];
    for (const body of wrong) assert.equal((await create(body)).status, 400, JSON.stringify(body));
    assert.deepEqual((await get("?search=ida")).body.items, []);
  });

  it("gives and takes a role, which counts at the next request", async () => {
    const id = await service.createUser("jana");
    const jana = await signIn("jana");
    assert.equal((await get("", jana)).status, 403);
    const raised = await patch(id, { role: "admin" });
    assert.equal(raised.status, 200);
    assert.equal(raised.body.role, "admin");
    assert.equal((await get("", jana)).status, 200);
    assert.equal((await patch(id, { role: "user" })).status, 200);
    assert.equal((await get("", jana)).status, 403);
    assert.equal((await hello(jana)).status, 200);
  });

  it("disables one at the next request, in every session, and enables again", async () => {
    const id = await service.createUser("karl");
    const { access_token, refresh_token } = await service.login("karl");
    const { cookie } = await service.browser("karl");
    assert.equal((await patch(id, { disabled: true })).body.disabled, true);
    assert.equal((await hello(bearer(access_token))).status, 401);
    assert.equal((await hello({ cookie })).status, 401);
    const login = () => ask(service, "POST", "/auth/login", {}, { username: "karl", password: PASSWORD });
    assert.equal((await login()).body.code, "invalid_credentials");
    assert.equal(
      service.events.some(({ name, subject }) => name === "user.disabled" && subject === id),
      true,
    );

    assert.equal((await patch(id, { disabled: false })).body.disabled, false);
    assert.equal((await login()).status, 200);
    assert.equal((await hello(bearer(access_token))).status, 401, "what was ended stays ended");
    assert.equal((await ask(service, "POST", "/auth/refresh", {}, { refresh_token })).status, 401);
  });

  it("ends all sessions of one, and of nobody else", async () => {
    const id = await service.createUser("lars");
    const sessions = [await signIn("lars"), await signIn("lars")];
    const end = (whose: string) => ask(service, "DELETE", `/admin/users/${whose}/sessions`, root);
    assert.equal((await end(id)).status, 204);
    for (const headers of sessions) assert.equal((await hello(headers)).status, 401);
    assert.equal((await hello(root)).status, 200);
    assert.equal((await end(uuidv7(Date.now(), systemRandom))).status, 404);
  });

  it("keeps the last admin", async () => {
    for (const change of [{ role: "user" }, { disabled: true }, { role: "moderator", email: null }]) {
      const { status, body } = await patch(rootId, change);
      assert.equal(status, 409, JSON.stringify(change));
      assert.equal(body.code, "conflict");
    }
    const { body } = await get(`/${rootId}`);
    assert.deepEqual([body.role, body.disabled, body.email], ["admin", false, "root@example.org"]);
    assert.equal((await patch(rootId, { email: "r@example.org" })).body.email, "r@example.org");
  });

  it("refuses a change that is none, or of what no admin may change", async () => {
    const id = await service.createUser("mona");
    for (const body of [{}, { username: "x" }, { password: PASSWORD }, { id: rootId }, { disabled: "yes" }]) {
      assert.equal((await patch(id, body)).status, 400, JSON.stringify(body));
    }
    assert.equal((await patch(uuidv7(Date.now(), systemRandom), { role: "user" })).status, 404);
  });

  it("is for admins: not for users, moderators or the anonymous", async () => {
    const id = await service.createUser("nora");
    await service.createUser("mod", "moderator");
    for (const [headers, status] of [
      [await signIn("nora"), 403],
      [await signIn("mod"), 403],
      [{} as typeof root, 401],
    ] as const) {
      assert.equal((await get("", headers)).status, status);
      assert.equal((await get(`/${id}`, headers)).status, status);
      assert.equal((await create({ username: "nobody" }, headers)).status, status);
      assert.equal((await patch(id, { role: "admin" }, headers)).status, status);
      assert.equal((await ask(service, "DELETE", `/admin/users/${id}/sessions`, headers)).status, status);
    }
    assert.equal((await get(`/${id}`)).body.role, "user");
  });
});
