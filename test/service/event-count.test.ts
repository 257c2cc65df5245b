import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ask, bearer } from "./ask.ts";
import type { TestService } from "./running-service.ts";
import { PASSWORD, runService } from "./running-service.ts";

const STATIC_KEY = "bootstrap_0123456789abcdefghijklmnopqrstuv";

describe("events", () => {
  let service: TestService;
  before(async () => {
    service = await runService({
      KYROS_LOGIN_RATE_LIMIT: "2/1m",
      KYROS_API_KEYS: `ci:${STATIC_KEY}`,
    });
    await service.createUser("alice");
    await service.createUser("bob");
  });
  after(() => service.stop());

  const since = async (work: () => Promise<unknown>): Promise<readonly string[]> => {
    const before = service.events.length;
    await work();
    return service.events.slice(before).map(({ name }) => name);
  };
  const login = (username: string, password: string) =>
    ask(service, "POST", "/auth/login", {}, { username, password });

  it("tell a refused sign-in, and one over the limit, once each", async () => {
    assert.deepEqual(await since(() => login("alice", "wrong horse")), ["auth.login.failed"]);
    await login("alice", "wrong horse");
    assert.deepEqual(await since(() => login("alice", "wrong horse")), ["rate_limit.exceeded"]);
  });

  it("tell a refused refresh once", async () => {
    const refresh = () => ask(service, "POST", "/auth/refresh", {}, { refresh_token: "nothing" });
    assert.deepEqual(await since(refresh), ["auth.token.rejected"]);
  });

  it("tell a change of password as that, not as a sign-in", async () => {
    const { access_token } = await service.login("bob");
    const body = { current_password: PASSWORD, new_password: "quite another horse" };
    const change = () => ask(service, "POST", "/auth/password", bearer(access_token), body);
    assert.deepEqual(await since(change), ["auth.password.changed"]);
  });

  it("tell a refused token once, with the words that the caller does not get", async () => {
    const hello = () => ask(service, "GET", "/protected", bearer("a.b.c"));
    assert.deepEqual(await since(hello), ["auth.token.rejected"]);
    assert.match(service.events.at(-1)!.reason ?? "", /^token_invalid: /);
  });

  it("know no static key as an OAuth client: a token for one would stand on nothing", async () => {
    for (const id of ["", "static:ci", "ci"]) {
      const basic = Buffer.from(`${encodeURIComponent(id)}:${STATIC_KEY}`).toString("base64");
      const response = await fetch(`${service.url}/oauth/token`, {
        method: "POST",
        headers: { authorization: `Basic ${basic}` },
        body: new URLSearchParams({ grant_type: "client_credentials" }),
      });
      assert.equal(response.status, 401);
      assert.equal(((await response.json()) as { error: string }).error, "invalid_client");
    }
    const hello = await ask(service, "GET", "/protected", { "x-api-key": STATIC_KEY });
    assert.equal(hello.body.message, "Hello, ci!");
  });
});
