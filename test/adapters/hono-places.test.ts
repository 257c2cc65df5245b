import assert from "node:assert/strict";
import { it } from "node:test";
import { Hono } from "hono";
import { logger } from "hono/logger";
import { guard, kyrosHono } from "../../src/adapters/hono.ts";
import type { Kyros } from "../../src/index.ts";
import { testKyros } from "./guarded-app.ts";

const LOOPBACK = () => ({ remote: { address: "127.0.0.1", addressType: "IPv4" as const } });

function guardedApp(kyros: Kyros): Hono {
  const app = new Hono();
  kyrosHono(app, { kyros, connInfo: LOOPBACK });
  return app;
}

async function statusesOf(
  app: Hono,
  asks: readonly (readonly [path: string, headers: Record<string, string>, status: number])[],
): Promise<void> {
  for (const [path, headers, status] of asks) {
    const response = await app.request(path, { headers });
    assert.equal(response.status, status, `${path}: ${await response.text()}`);
    assert.ok(response.headers.get("content-security-policy"), `${path} carries what is staged`);
  }
}

it("adds to the Vary of a handler of a Hono app", async () => {
  const origin = "https://app.example";
  const { kyros } = await testKyros({ cors: { origins: [origin] } });
  const app = guardedApp(kyros);
  app.get("/x", guard(kyros.allowAnonymous()), (c) => c.text("x", 200, { vary: "Accept" }));
  const { headers } = await app.request("/x", { headers: { origin } });
  assert.equal(headers.get("vary"), "Accept, Origin");
});

it("answers what is outside a Hono app's base path, and is itself part of another app", async () => {
  const { kyros, tokens } = await testKyros();
  const based = new Hono().basePath("/api");
  kyrosHono(based, { kyros, connInfo: LOOPBACK });
  based.get("/open", guard(kyros.allowAnonymous()), (c) => c.text("open"));
  based.get("/x", (c) => c.text("x"));
  await statusesOf(based, [
    ["/api/open", {}, 200],
    ["/api/x", {}, 401],
    ["/api/nothing", {}, 404],
    ["/nothing", {}, 404],
  ]);
  const outer = new Hono();
  outer.use(logger(() => undefined));
  const inner = guardedApp(kyros);
  inner.get("/open", guard(kyros.allowAnonymous()), (c) => c.text("open"));
  inner.get("/x", (c) => c.text("x"));
  outer.route("/inner", inner);
  await statusesOf(outer, [
    ["/inner/open", {}, 200],
    ["/inner/x", {}, 401],
    ["/inner/x", { authorization: `Bearer ${tokens.user}` }, 200],
  ]);
});
