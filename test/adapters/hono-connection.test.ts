import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { Hono } from "hono";
import { guard, kyrosHono } from "../../src/adapters/hono.ts";
import type { TestKyros } from "./guarded-app.ts";
import { testKyros } from "./guarded-app.ts";

const LOOPBACK = () => ({ remote: { address: "127.0.0.1", addressType: "IPv4" as const } });

describe("the connection of a Hono app", () => {
  let test: TestKyros;
  before(async () => {
    test = await testKyros();
  });
  const guardedApp = (kyros = test.kyros) => {
    const app = new Hono();
    kyrosHono(app, { kyros, connInfo: LOOPBACK });
    return app;
  };

  it("takes the client's address from the connection, and from trusted proxies alone", async () => {
    const behind = await testKyros({ trustedProxies: ["127.0.0.1"] });
    for (const [kyros, address] of [
      [test.kyros, "127.0.0.1"],
      [behind.kyros, "192.0.2.1"],
    ] as const) {
      const app = guardedApp(kyros);
      app.get("/x", guard(kyros.allowAnonymous()), (c) => c.text(c.var.exchange.client.address));
      const response = await app.request("/x", { headers: { "x-forwarded-for": "192.0.2.1" } });
      assert.equal(await response.text(), address);
    }
    const unknown = new Hono();
    kyrosHono(unknown, { kyros: behind.kyros, connInfo: () => ({ remote: {} }) });
    unknown.get("/x", guard(behind.kyros.allowAnonymous()), (c) => c.text(c.var.exchange.client.address));
    const response = await unknown.request("/x", { headers: { "x-forwarded-for": "192.0.2.1" } });
    assert.equal(await response.text(), "unknown");
  });

  it("lets nobody in where the connection cannot be told", async () => {
    const app = new Hono();
    const connInfo = () => {
      throw new TypeError("of another host");
    };
    kyrosHono(app, { kyros: test.kyros, connInfo });
    app.get("/x", guard(test.kyros.allowAnonymous()), (c) => c.text("x"));
    const response = await app.request("/x");
    assert.equal(response.status, 500);
    assert.equal(((await response.json()) as { code: string }).code, "internal");
    assert.ok(response.headers.get("content-security-policy"));
  });

  it("takes the scheme from the connection", async () => {
    const strict = await testKyros({ insecureHttp: false });
    const app = guardedApp(strict.kyros);
    app.get("/x", guard(strict.kyros.allowAnonymous()), (c) => c.text("x"));
    assert.equal((await app.request("http://a.example/x")).status, 400);
    const over = await app.request("https://a.example/x");
    assert.equal(over.status, 200);
    assert.ok(over.headers.get("strict-transport-security"));
  });
});
