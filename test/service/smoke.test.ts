import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { TestService } from "./running-service.ts";
import { runService } from "./running-service.ts";

describe("the main job", () => {
  let service: TestService;
  before(async () => {
    service = await runService();
    await service.createUser("alice");
  });
  after(() => service.stop());

  it("signs a program in and says hello", async () => {
    const { access_token } = await service.login("alice");
    const response = await fetch(`${service.url}/protected`, {
      headers: { authorization: `Bearer ${access_token}` },
    });
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { message: "Hello, alice!" });
  });

  it("refuses a disabled user at the next request", async () => {
    const id = await service.createUser("bob");
    const { access_token } = await service.login("bob");
    const headers = { authorization: `Bearer ${access_token}` };
    assert.equal((await fetch(`${service.url}/protected`, { headers })).status, 200);
    await service.stores.accounts.update(id, { disabled: true });
    assert.equal((await fetch(`${service.url}/protected`, { headers })).status, 401);
  });

  it("signs a browser in and out again, with the CSRF proof", async () => {
    const { cookie, csrf } = await service.browser("alice");
    const out = (headers: Record<string, string>) =>
      fetch(`${service.url}/auth/session`, { method: "DELETE", headers: { cookie, ...headers } });
    assert.equal((await out({})).status, 403);
    assert.equal((await out({ "x-csrf-token": csrf, "sec-fetch-site": "same-origin" })).status, 204);
    assert.equal((await fetch(`${service.url}/protected`, { headers: { cookie } })).status, 401);
  });
});
