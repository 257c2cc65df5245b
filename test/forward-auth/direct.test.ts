import assert from "node:assert/strict";
import { it } from "node:test";
import { ask, bearer } from "../service/ask.ts";
import { runService } from "../service/running-service.ts";

it("who asks about nothing is told about the credential alone, and only where there are no rules", async () => {
  const open = await runService({});
  const ruled = await runService({ KYROS_GATE_RULES: "/assets public" });
  try {
    await open.createUser("alice");
    await ruled.createUser("alice");
    const token = bearer((await open.login("alice")).access_token);
    const known = await ask(open, "GET", "/forward-auth", token);
    assert.equal(known.status, 200);
    assert.equal(known.headers.get("x-auth-user"), "alice");
    assert.equal(known.headers.get("x-auth-role"), "user");
    assert.equal(known.headers.get("x-auth-scopes"), "");
    assert.equal(known.headers.get("cache-control"), "no-store");
    assert.equal((await ask(open, "GET", "/forward-auth")).status, 401);
    assert.equal((await ask(open, "GET", "/forward-auth", bearer("none"))).status, 401);
    const others: Record<string, string>[] = [
      { "x-forwarded-for": "192.0.2.1" },
      { "x-forwarded-uri": "/assets" },
      { "x-original-url": "https://app.example/" },
      { forwarded: "for=192.0.2.1" },
      { via: "1.1 proxy" },
      { cookie: "kyros_session=x" },
    ];
    for (const other of others) {
      assert.equal((await ask(open, "GET", "/forward-auth", { ...token, ...other })).status, 403);
    }
    assert.equal((await ask(open, "POST", "/forward-auth", token)).status, 403);
    assert.equal((await ask(open, "GET", "/forward-auth/jobs", token)).status, 403);
    const { access_token } = await ruled.login("alice");
    assert.equal((await ask(ruled, "GET", "/forward-auth", bearer(access_token))).status, 403);
  } finally {
    await open.stop();
    await ruled.stop();
  }
});
