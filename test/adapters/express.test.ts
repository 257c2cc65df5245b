import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import type { Express } from "express";
import express from "express";
import { guardAll, guarded, kyrosExpress } from "../../src/adapters/express.ts";
import { rawRequest, sendRaw } from "../service/raw-request.ts";
import type { Ask } from "./express-statuses.ts";
import { checkStatuses } from "./express-statuses.ts";
import type { TestKyros } from "./guarded-app.ts";
import { serve, testKyros } from "./guarded-app.ts";

describe("an Express app behind the guards", () => {
  let test: TestKyros;
  before(async () => {
    test = await testKyros();
  });
  const bearer = (role: "user" | "moderator" | "admin") => ({ authorization: `Bearer ${test.tokens[role]}` });

  const statusesOf = (build: (app: Express) => void, asks: readonly Ask[]) =>
    checkStatuses(test.kyros, build, asks);

  it("is closed where nothing is said: routes, routers, files, mounted apps", async () => {
    const sub = express.Router();
    sub.get("/x", (_request, response) => void response.send("router"));
    const mounted = express().disable("x-powered-by");
    mounted.get("/x", (_request, response) => void response.send("app"));
    mounted.get(
      "/admin",
      guarded(test.kyros.requireRole("admin"), (_request, response) => response.send("for admins")),
    );
    await statusesOf(
      (app) => {
        app.get("/x", (_request, response) => void response.send("x"));
        app.use("/router", sub);
        app.use("/files", express.static(import.meta.dirname));
        app.use("/app", mounted);
        app.get(
          "/open",
          guarded(test.kyros.allowAnonymous(), (_request, response) => response.send("open")),
        );
        app.use(guardAll(test.kyros.allowAnonymous()), express.static(import.meta.dirname));
      },
      [
        ["/x", {}, 401],
        ["/x", bearer("user"), 200],
        ["/router/x", {}, 401],
        ["/router/x", bearer("user"), 200],
        ["/files/hosts.ts", {}, 401],
        ["/files/hosts.ts", bearer("user"), 200],
        ["/app/x", {}, 401],
        ["/app/x", bearer("user"), 200],
        ["/app/admin", bearer("user"), 403],
        ["/app/admin", bearer("admin"), 200],
        ["/open", {}, 200],
        ["/hosts.ts", {}, 200],
        ["/nothing", {}, 404],
      ],
    );
  });

  it("adds up the guards of a path, its routers and its route", async () => {
    const { kyros } = test;
    const admin = express.Router();
    admin.use(guardAll(kyros.requireRole("moderator")));
    admin.get("/x", (request, response) => void response.send(request.originalUrl));
    admin.get(
      "/y",
      guarded(kyros.requireExactRole("admin"), (_request, response) => response.send("y")),
    );
    admin.get(
      "/z",
      guarded(kyros.allowAnonymous(), (_request, response) => response.send("z")),
    );
    await statusesOf(
      (app) => {
        app.get(
          "/admin/open",
          guarded(kyros.allowAnonymous(), (_request, response) => response.send("open")),
        );
        app.use("/admin", admin);
        app.use("/deep/:id", guardAll(kyros.requireRole("admin")), express.Router().use("/a", admin));
      },
      [
        ["/admin/open", {}, 200],
        ["/admin/x", {}, 401],
        ["/admin/x", bearer("user"), 403],
        ["/admin/x", bearer("moderator"), 200],
        ["/ADMIN/x/", bearer("user"), 403],
        ["/admin/y", bearer("moderator"), 403],
        ["/admin/y", bearer("admin"), 200],
        ["/admin/z", {}, 401],
        ["/admin/z", bearer("moderator"), 200],
        ["/administrator", {}, 404],
        ["/deep/1/a/x", bearer("moderator"), 403],
        ["/deep/1/a/x", bearer("admin"), 200],
        ["/deep/1/a/x", {}, 401, { method: "HEAD" }],
      ],
    );
  });

  it("asks for the second factor and the fresh sign-in that any guard on the way asks for", async () => {
    const { kyros } = test;
    const vault = express.Router();
    vault.get(
      "/x",
      guarded(kyros.requireRole("admin"), (_request, response) => response.send("x")),
    );
    await statusesOf(
      (app) => {
        app.use("/vault", guardAll(kyros.requireMfa()), vault);
        app.use(
          "/outer",
          guardAll(kyros.requireUser()),
          express.Router().get(
            "/x",
            guarded(kyros.requireMfa(), (_request, response) => response.send("x")),
          ),
        );
      },
      [
        ["/vault/x", bearer("admin"), 401],
        ["/outer/x", bearer("admin"), 401],
      ],
    );
  });

  it("does not open a route by a guard inside a router that the route is not in", async () => {
    const { kyros } = test;
    const open = express.Router();
    open.use(guardAll(kyros.allowAnonymous()));
    open.get("/health", (_request, response) => void response.send("ok"));
    await statusesOf(
      (app) => {
        app.use(open);
        app.get("/secret", (_request, response) => void response.send("secret"));
        app.get(
          "/open",
          guarded(kyros.allowAnonymous(), (_request, response) => response.send("open")),
        );
        app.post("/secret", (_request, response) => void response.send("secret"));
        app.use("/files", express.static(import.meta.dirname));
        const inside = express.Router().use(guardAll(kyros.allowAnonymous()));
        app.use("/inside", inside.use(express.static(import.meta.dirname)));
        app.use(express.static(import.meta.dirname));
      },
      [
        ["/hosts.ts", {}, 401],
        ["/hosts.ts", bearer("user"), 200],
        ["/inside/hosts.ts", {}, 200],
        ["/health", {}, 200],
        ["/secret", {}, 401],
        ["/secret", {}, 401, { method: "POST" }],
        ["/files/hosts.ts", {}, 401],
        ["/secret", bearer("user"), 200],
        ["/files/hosts.ts", bearer("user"), 200],
        ["/open", {}, 200],
        ["/nothing", {}, 401],
      ],
    );
  });

  it("judges again whom a route passes on to another one", async () => {
    await statusesOf(
      (app) => {
        app.get(
          "/x",
          guarded(test.kyros.allowAnonymous(), (_request, _response, next) => next()),
        );
        app.get(
          "/x",
          guarded(test.kyros.requireRole("admin"), (_request, response) => response.send("x")),
        );
      },
      [
        ["/x", {}, 401],
        ["/x", bearer("user"), 403],
        ["/x", bearer("admin"), 200],
      ],
    );
  });

  it("takes the client's address from trusted proxies alone, whatever Express is told", async () => {
    const app = express();
    kyrosExpress(app, { kyros: test.kyros });
    app.set("trust proxy", true);
    app.get(
      "/x",
      guarded(test.kyros.allowAnonymous(), (request, response) =>
        response.send(request.exchange.client.address),
      ),
    );
    await serve(app, async (url) => {
      const response = await fetch(`${url}/x`, { headers: { "x-forwarded-for": "192.0.2.1" } });
      assert.equal(await response.text(), "127.0.0.1");
    });
  });

  it("answers a preflight without asking the app, and refuses two credentials", async () => {
    const cors = await testKyros({ cors: { origins: ["https://app.example"] } });
    const app = express();
    kyrosExpress(app, { kyros: cors.kyros });
    app.put(
      "/x",
      guarded(cors.kyros.requireUser(), (_request, response) => response.send("x")),
    );
    await serve(app, async (url) => {
      const headers = { origin: "https://app.example", "access-control-request-method": "PUT" };
      const response = await fetch(`${url}/x`, { method: "OPTIONS", headers });
      assert.equal(response.status, 204);
      assert.equal(response.headers.get("access-control-allow-origin"), "https://app.example");
      const twice = [
        `authorization: Bearer ${cors.tokens.user}`,
        `authorization: Bearer ${cors.tokens.user}`,
      ];
      assert.equal((await sendRaw(url, rawRequest("PUT", "/x", twice)))?.status, 401);
    });
  });

  it("is to be called first, and guards say so where it was not", async () => {
    const late = express();
    late.get("/x", (_request, response) => void response.send("x"));
    assert.throws(() => kyrosExpress(late, { kyros: test.kyros }), /before anything else/);
    const without = express();
    without.set("env", "test");
    without.get(
      "/x",
      guarded(test.kyros.allowAnonymous(), (_request, response) => response.send("x")),
    );
    await serve(without, async (url) => assert.equal((await fetch(`${url}/x`)).status, 500));
  });

  it("types the user behind a guard as never null", () => {
    guarded(test.kyros.requireUser(), (request) => request.currentUser.username satisfies string);
    // @ts-expect-error a person may be missing where a sign-in is optional
    guarded(test.kyros.optionalUser(), (request) => request.currentUser.username);
    guarded(test.kyros.requirePerson(), (request) => request.principal.sessionId satisfies string);
    // @ts-expect-error an API key has no session
    guarded(test.kyros.requireUser(), (request) => request.principal.sessionId);
  });
});
