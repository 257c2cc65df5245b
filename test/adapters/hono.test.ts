import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { logger } from "hono/logger";
import { guard, kyrosHono } from "../../src/adapters/hono.ts";
import type { TestKyros } from "./guarded-app.ts";
import { testKyros } from "./guarded-app.ts";

const LOOPBACK = () => ({ remote: { address: "127.0.0.1", addressType: "IPv4" as const } });

describe("a Hono app behind the guards", () => {
  let test: TestKyros;
  before(async () => {
    test = await testKyros();
  });
  const bearer = (role: "user" | "moderator" | "admin") => ({ authorization: `Bearer ${test.tokens[role]}` });
  const guardedApp = (kyros = test.kyros) => {
    const app = new Hono();
    kyrosHono(app, { kyros, connInfo: LOOPBACK });
    return app;
  };

  async function statusesOf(
    app: Hono,
    asks: readonly (readonly [
      path: string,
      headers: Record<string, string>,
      status: number,
      init?: RequestInit,
    ])[],
  ): Promise<void> {
    for (const [path, headers, status, init] of asks) {
      const response = await app.request(path, { ...init, headers });
      const text = await response.text();
      assert.equal(response.status, status, `${init?.method ?? "GET"} ${path}: ${text}`);
      assert.ok(response.headers.get("content-security-policy"), `${path} carries what is staged`);
      if (status >= 400)
        assert.equal(response.headers.get("content-type"), "application/problem+json; charset=utf-8");
    }
  }

  it("is closed where nothing is said: routes, apps below it, whatever stands under a path", async () => {
    const { kyros } = test;
    const app = guardedApp();
    const sub = new Hono();
    sub.use(logger(() => undefined));
    sub.get("/x", (c) => c.text("sub"));
    sub.get("/open", guard(kyros.allowAnonymous()), (c) => c.text("open"));
    sub.onError((_error, c) => c.text("own", 418));
    sub.get("/own", guard(kyros.requireRole("admin")), () => {
      throw new Error("for its own handler");
    });
    app.use(logger(() => undefined));
    app.get("/x", (c) => c.text("x"));
    app.all("/all", (c) => c.text("all"));
    app.route("/sub", sub);
    app.mount("/mounted", () => new Response("mounted"));
    app.get("/open", guard(kyros.allowAnonymous()), (c) => c.text("open"));
    app.use("*", guard(kyros.allowAnonymous()), async (c, next) => {
      if (c.req.path !== "/file") return next();
      return c.text("file");
    });
    await statusesOf(app, [
      ["/x", {}, 401],
      ["/x", bearer("user"), 200],
      ["/x", {}, 401, { method: "HEAD" }],
      ["/all", {}, 401],
      ["/sub/x", {}, 401],
      ["/sub/x", bearer("user"), 200],
      ["/sub/open", {}, 200],
      ["/sub/own", bearer("user"), 403],
      ["/mounted/x", {}, 401],
      ["/mounted/x", bearer("user"), 200],
      ["/open", {}, 200],
      ["/file", {}, 200],
      ["/nothing", {}, 404],
    ]);
    assert.equal((await app.request("/sub/own", { headers: bearer("admin") })).status, 418);
  });

  it("adds up the guards of a path and its route, and judges again whom a handler passes on", async () => {
    const { kyros } = test;
    const app = guardedApp();
    app.get("/admin/open", guard(kyros.allowAnonymous()), (c) => c.text("open"));
    app.use("/admin/*", guard(kyros.requireRole("moderator")));
    app.get("/admin/x", (c) => c.text("x"));
    app.get("/admin/y", guard(kyros.requireExactRole("admin")), (c) => c.text("y"));
    app.get("/admin/z", guard(kyros.allowAnonymous()), (c) => c.text("z"));
    app.get("/on", guard(kyros.allowAnonymous()), (_c, next) => next());
    app.get("/*", guard(kyros.requireRole("admin")), (c) => c.text("rest"));
    await statusesOf(app, [
      ["/admin/open", {}, 200],
      ["/admin/x", {}, 401],
      ["/admin/x", bearer("user"), 403],
      ["/admin/x", bearer("moderator"), 200],
      ["/admin/y", bearer("moderator"), 403],
      ["/admin/y", bearer("admin"), 200],
      ["/admin/z", {}, 401],
      ["/admin/z", bearer("moderator"), 200],
      ["/on", {}, 401],
      ["/on", bearer("user"), 403],
      ["/on", bearer("admin"), 200],
    ]);
  });

  it("asks for the second factor that any guard on the way asks for", async () => {
    const { kyros } = test;
    const app = guardedApp();
    app.use("/vault/*", guard(kyros.requireMfa()));
    app.get("/vault/x", guard(kyros.requireRole("admin")), (c) => c.text("x"));
    app.use("/outer/*", guard(kyros.requireUser()));
    app.get("/outer/x", guard(kyros.requireMfa()), (c) => c.text("x"));
    await statusesOf(app, [
      ["/vault/x", bearer("admin"), 401],
      ["/outer/x", bearer("admin"), 401],
    ]);
  });

  it("refuses a form without its token, and leaves the form to the handler", async () => {
    const { kyros, cookie, csrf } = test;
    const app = guardedApp();
    app.post("/form", guard(kyros.requireUser()), async (c) =>
      c.json((await c.req.parseBody())["a"] ?? null),
    );
    app.post("/unguarded", (c) => c.text("x"));
    const own = {
      cookie,
      "sec-fetch-site": "same-origin",
      "content-type": "application/x-www-form-urlencoded",
    };
    const form = (body: string, more: Record<string, string> = {}) =>
      [
        { ...own, "content-length": String(body.length), ...more },
        { method: "POST", body },
      ] as const;
    const ask = async (path: string, status: number, [headers, init]: ReturnType<typeof form>) =>
      statusesOf(app, [[path, headers, status, init]]);
    await ask("/form", 403, form("a=1"));
    await ask("/form", 200, form(`a=1&_csrf=${csrf}`));
    await ask("/form", 403, form(`_csrf=${csrf}x`));
    await ask("/form", 403, form(`__proto__[_csrf]=${csrf}`));
    await ask("/form", 403, form(`_csrf=${csrf}`, { "sec-fetch-site": "cross-site" }));
    await ask("/form", 200, form("a=1", { "x-csrf-token": csrf }));
    // Too long to be read before anybody is known to want it.
    await ask("/form", 403, form(`_csrf=${csrf}`, { "content-length": "65537" }));
    await ask("/unguarded", 403, form(`_csrf=${csrf}`));
    const answer = await app.request("/form", { method: "POST", headers: own, body: `a=1&_csrf=${csrf}` });
    assert.equal(answer.status, 403);
  });

  it("adds the staged headers to whatever response comes out", async () => {
    const { kyros } = test;
    const app = guardedApp();
    const open = guard(kyros.allowAnonymous());
    app.get("/immutable", open, () => Response.redirect("https://elsewhere.example/", 307));
    app.get(
      "/stream",
      open,
      () => new Response(new Blob(["one two"]).stream(), { headers: { "x-own": "1" } }),
    );
    app.get("/cookies", open, (c) => {
      c.header("set-cookie", "a=1", { append: true });
      c.header("set-cookie", "b=2", { append: true });
      c.var.exchange.stage("set-cookie", "c=3");
      return c.text("x");
    });
    app.get("/frame", open, (c) => c.text("x", 200, { "x-frame-options": "SAMEORIGIN" }));
    app.get("/http", open, () => {
      throw new HTTPException(409, { message: "my words" });
    });
    app.get("/made", open, () => {
      throw new HTTPException(401, { res: new Response("made by the host", { status: 401 }) });
    });
    app.get("/string", open, () => Promise.reject("no error"));
    app.get("/nonce", open, (c) => c.text(kyros.useNonce(c.var.exchange)));
    await statusesOf(app, [
      ["/immutable", {}, 307],
      ["/stream", {}, 200],
      ["/cookies", {}, 200],
      ["/frame", {}, 200],
      ["/http", {}, 409],
      ["/string", {}, 500],
    ]);
    const get = (path: string) => app.request(path);
    assert.equal((await get("/immutable")).headers.get("location"), "https://elsewhere.example/");
    assert.equal(await (await get("/stream")).text(), "one two");
    assert.deepEqual((await get("/cookies")).headers.getSetCookie(), ["a=1", "b=2", "c=3"]);
    assert.equal((await get("/frame")).headers.get("x-frame-options"), "SAMEORIGIN");
    const made = await get("/made");
    assert.equal(await made.text(), "made by the host");
    assert.ok(made.headers.get("x-request-id"));
    const nonce = await get("/nonce");
    assert.ok(nonce.headers.get("content-security-policy")?.includes(await nonce.text()));
    assert.doesNotMatch(await (await get("/http")).text(), /my words/);
  });

  it("answers a preflight without asking the app", async () => {
    const cors = await testKyros({ cors: { origins: ["https://app.example"] } });
    const app = guardedApp(cors.kyros);
    app.put("/x", guard(cors.kyros.requireUser()), (c) => c.text("x"));
    const headers = { origin: "https://app.example", "access-control-request-method": "PUT" };
    const response = await app.request("/x", { method: "OPTIONS", headers });
    assert.equal(response.status, 204);
    assert.equal(response.headers.get("access-control-allow-origin"), "https://app.example");
  });

  it("is to be called first, and guards say so where it was not", async () => {
    const late = new Hono().get("/x", (c) => c.text("x"));
    assert.throws(() => kyrosHono(late, { kyros: test.kyros, connInfo: LOOPBACK }), /before anything else/);
    const without = new Hono();
    without.onError((error, c) => c.text(error.message, 500));
    without.get("/x", guard(test.kyros.allowAnonymous()), (c) => c.text("x"));
    assert.match(await (await without.request("/x")).text(), /was not called/);
  });

  it("types the user behind a guard as never null", () => {
    const app = new Hono();
    app.get("/", guard(test.kyros.requireUser()), (c) => c.text(c.get("currentUser").username));
    // @ts-expect-error a person may be missing where a sign-in is optional
    app.get("/", guard(test.kyros.optionalUser()), (c) => c.text(c.var.currentUser.username));
    app.get("/", guard(test.kyros.requirePerson()), (c) => c.text(c.var.principal.sessionId));
    // @ts-expect-error an API key has no session
    app.get("/", guard(test.kyros.requireUser()), (c) => c.text(c.var.principal.sessionId));
  });
});
