import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { systemRandom, uuidv7 } from "../../src/kernel/random.ts";
import type { Answer } from "./ask.ts";
import { ask, bearer } from "./ask.ts";
import type { TestService } from "./running-service.ts";
import { PASSWORD, runService } from "./running-service.ts";

const STATIC_KEY = "a-static-key-for-bootstrapping-0123456789abcdef";

describe("API keys", () => {
  let service: TestService;
  let alice: { authorization: string };
  let mallory: { authorization: string };
  let root: { authorization: string };
  before(async () => {
    service = await runService({ KYROS_RATE_LIMIT: "1000/1h", KYROS_API_KEYS: `deploy:${STATIC_KEY}` });
    await service.createUser("alice");
    await service.createUser("mallory");
    await service.createUser("root", "admin");
    alice = bearer((await service.login("alice")).access_token);
    mallory = bearer((await service.login("mallory")).access_token);
    root = bearer((await service.login("root")).access_token);
  });
  after(() => service.stop());

  const hello = (headers: Record<string, string>) => ask(service, "GET", "/protected", headers);
  const use = (key: string) => hello({ "x-api-key": key });
  const list = (headers: Record<string, string>) => ask(service, "GET", "/auth/api-keys", headers);
  const rotate = (headers: Record<string, string>, id: string, body?: unknown) =>
    ask(service, "POST", `/auth/api-keys/${id}/rotate`, headers, body);
  const revoke = (headers: Record<string, string>, id: string) =>
    ask(service, "DELETE", `/auth/api-keys/${id}`, headers);
  async function make(
    headers: Record<string, string>,
    wish: object = {},
  ): Promise<{ id: string; key: string }> {
    const { status, body } = await ask(service, "POST", "/auth/api-keys", headers, { name: "ci", ...wish });
    assert.equal(status, 201, JSON.stringify(body));
    return body;
  }

  it("are made, shown once, listed without their text and used in both headers", async () => {
    const wish = { name: "build", scopes: ["jobs:read"], expires_in: "90d", rate_limits: ["100/1m"] };
    const made = await ask(service, "POST", "/auth/api-keys", alice, wish);
    assert.equal(made.status, 201);
    assert.equal(made.headers.get("cache-control"), "no-store");
    const { key, ...shown } = made.body;
    assert.match(key, /^kyros_[0-9A-Za-z]{8,}_[\w-]{43}_[0-9A-Za-z]+$/);
    assert.deepEqual(shown.scopes, ["jobs:read"]);
    assert.equal(Date.parse(shown.expires_at) - Date.parse(shown.created_at), 90 * 86_400_000);

    const listed = (await list(alice)).body;
    const { last_used_at, ...item } = listed.items.find(({ id }: { id: string }) => id === shown.id);
    assert.equal(last_used_at, null);
    assert.deepEqual(item, shown);
    assert.equal(JSON.stringify(listed).includes(key.split("_")[2]), false);

    for (const headers of [{ "x-api-key": key }, bearer(key)]) {
      const answer = await hello(headers);
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.body, { message: "Hello, alice!" });
    }
    assert.equal((await hello({ "x-api-key": key, ...alice })).status, 401, "two credentials at once");
  });

  it("that cannot be are refused, with every faulty field named", async () => {
    const wish = {
      name: "x",
      scopes: ["!"],
      expires_in: "soon",
      rate_limits: ["1"],
      address_ranges: ["1.2.3"],
    };
    const { status, body } = await ask(service, "POST", "/auth/api-keys", alice, wish);
    assert.equal(status, 400);
    assert.deepEqual(body.errors.map(({ field }: { field: string }) => field).sort(), [
      "address_ranges",
      "expires_in",
      "rate_limits",
      "scopes",
    ]);
    const unknown = await ask(service, "POST", "/auth/api-keys", alice, { name: "x", role: "admin" });
    assert.equal(unknown.status, 400);
  });

  it("have a name on one line, without control characters", async () => {
    const names = ["", "   ", "a\0b", "a\nb", "\x1b[31mred", "a\u2028b", "\u202ecba", "x".repeat(101)];
    for (const name of names) {
      const { status, body } = await ask(service, "POST", "/auth/api-keys", alice, { name });
      assert.equal(status, 400, JSON.stringify(name));
      const message = "must be 1 to 100 characters, not all blank, without control characters";
      assert.deepEqual(body.errors, [{ field: "name", message }], JSON.stringify(name));
    }
    for (const name of ["ci", "Zoë's laptop", "日本語", "👩‍💻".repeat(33)]) {
      assert.equal((await ask(service, "POST", "/auth/api-keys", alice, { name })).body.name, name);
    }
  });

  it("are rotated with an overlap, or without", async () => {
    const { id, key: first } = await make(alice);
    const rotated = await rotate(alice, id);
    assert.equal(rotated.status, 200);
    assert.equal(rotated.headers.get("cache-control"), "no-store");
    assert.equal(rotated.body.id, id);
    const second = rotated.body.key;
    assert.notEqual(second, first);
    assert.equal((await use(first)).status, 200);
    assert.equal((await use(second)).status, 200);

    const { body } = await rotate(alice, id, { overlap: "0" });
    assert.equal((await use(second)).status, 401);
    assert.equal((await use(first)).status, 401, "the one before the last is gone too");
    assert.equal((await use(body.key)).status, 200);
    assert.equal((await rotate(alice, id, { overlap: "a while" })).status, 400);
  });

  it("are refused from the request after they are revoked, in every spelling", async () => {
    const { id, key: first } = await make(alice);
    const { key: second } = (await rotate(alice, id, { overlap: "1h" })).body;
    assert.equal((await revoke(alice, id)).status, 204);
    for (const key of [first, second]) {
      assert.equal((await use(key)).status, 401);
      assert.equal((await hello(bearer(key))).status, 401);
    }
    assert.equal((await revoke(alice, id)).status, 404);
    assert.equal((await rotate(alice, id)).status, 404);
    assert.equal(
      (await list(alice)).body.items.some((one: { id: string }) => one.id === id),
      false,
    );
  });

  it("of another user answer as ones that never were, and stay intact", async () => {
    const { id, key } = await make(alice);
    const nobodys = uuidv7(Date.now(), systemRandom);
    const plain = (answer: Answer) => ({ status: answer.status, body: { ...answer.body, instance: "" } });
    for (const who of [mallory, root]) {
      for (const attempt of [revoke, rotate]) {
        const theirs = await attempt(who, id);
        assert.equal(theirs.status, 404);
        assert.deepEqual(plain(theirs), plain(await attempt(who, nobodys)));
      }
      assert.equal(
        (await list(who)).body.items.some((one: { id: string }) => one.id === id),
        false,
      );
    }
    assert.equal((await use(key)).status, 200);
  });

  it("work only from their address ranges", async () => {
    const here = await make(alice, { address_ranges: ["127.0.0.0/8", "::1/128"] });
    const elsewhere = await make(alice, { address_ranges: ["10.0.0.0/8"] });
    assert.equal((await use(here.key)).status, 200);
    assert.equal((await use(elsewhere.key)).status, 401);
    const forwarded = { "x-api-key": elsewhere.key, "x-forwarded-for": "10.0.0.1" };
    assert.equal((await hello(forwarded)).status, 401, "nobody here is trusted to forward");
  });

  it("are limited by their own limits, and told of these", async () => {
    const { key } = await make(alice, { rate_limits: ["2/1h"] });
    const [first, second, third] = [await use(key), await use(key), await use(key)];
    assert.deepEqual([first.status, second.status, third.status], [200, 200, 429]);
    assert.equal(first.headers.get("x-ratelimit-limit"), "2");
    assert.equal(first.headers.get("x-ratelimit-remaining"), "1");
    assert.equal(second.headers.get("x-ratelimit-remaining"), "0");
    assert.match(first.headers.get("ratelimit-policy") ?? "", /;q=2;w=3600$/);
    assert.equal(third.body.code, "rate_limited");
    assert.match(third.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
    assert.equal((await hello(alice)).headers.get("x-ratelimit-limit"), "1000");
    assert.equal((await hello(alice)).status, 200);
  });

  it("have several limits, named or not, each of which counts for itself", async () => {
    const { key } = await make(alice, { rate_limits: ["100/1h", "2/1m", "burst:50/1s"] });
    const statuses = [(await use(key)).status, (await use(key)).status, (await use(key)).status];
    assert.deepEqual(statuses, [200, 200, 429]);
    for (const limits of [
      ["2/1h", "2/60m"],
      ["a:2/1h", "a:3/1m"],
    ]) {
      const wish = { name: "twice", rate_limits: limits };
      const { status, body } = await ask(service, "POST", "/auth/api-keys", alice, wish);
      assert.equal(status, 400, String(limits));
      assert.deepEqual(body.errors, [
        { field: "rate_limits", message: "must be different ones, with different names where they have any" },
      ]);
    }
  });

  it("manage no keys, change no password, and administer only with the scope", async () => {
    const all = await make(root, { scopes: ["*"] });
    const none = await make(root);
    const reader = await make(root, { scopes: ["admin:users:read"] });
    const plain = await make(alice, { scopes: ["*"] });
    const asKey = (key: string) => ({ "x-api-key": key });
    const password = { current_password: PASSWORD, new_password: "quite another horse and staple" };
    for (const { key, id } of [all, plain]) {
      for (const headers of [asKey(key), bearer(key)]) {
        assert.equal((await list(headers)).status, 403);
        assert.equal((await ask(service, "POST", "/auth/api-keys", headers, { name: "x" })).status, 403);
        assert.equal((await rotate(headers, id)).status, 403);
        assert.equal((await revoke(headers, id)).status, 403);
        assert.equal((await ask(service, "POST", "/auth/password", headers, password)).status, 403);
        assert.equal((await ask(service, "GET", "/auth/sessions", headers)).status, 403);
        assert.equal((await ask(service, "GET", "/security/config", headers)).status, 403);
      }
    }
    const users = (key: string) => ask(service, "GET", "/admin/users", asKey(key));
    const user = { username: "byakey" };
    const create = (key: string) => ask(service, "POST", "/admin/users", asKey(key), user);
    assert.equal((await users(none.key)).body.code, "insufficient_scope");
    assert.equal((await users(plain.key)).body.code, "insufficient_role");
    assert.equal((await users(reader.key)).status, 200);
    assert.equal((await create(reader.key)).body.code, "insufficient_scope");
    assert.equal((await create(all.key)).status, 201);
  });

  it("of a disabled owner are refused at the next request", async () => {
    const id = await service.createUser("dora");
    const { key } = await make(bearer((await service.login("dora")).access_token));
    assert.equal((await use(key)).status, 200);
    await service.stores.accounts.update(id, { disabled: true });
    assert.equal((await use(key)).status, 401);
  });

  it("of the configuration work as they stand, with no rights but a user's", async () => {
    for (const headers of [{ "x-api-key": STATIC_KEY }, bearer(STATIC_KEY)]) {
      assert.deepEqual((await hello(headers)).body, { message: "Hello, deploy!" });
      assert.equal((await ask(service, "GET", "/admin/users", headers)).status, 403);
      assert.equal((await list(headers)).status, 403);
    }
    assert.equal((await use(STATIC_KEY.slice(0, -1))).status, 401);
    assert.equal((await use(STATIC_KEY.toUpperCase())).status, 401);
  });
});
