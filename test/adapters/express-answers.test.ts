import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { Express } from "express";
import express from "express";
import { guarded, kyrosExpress } from "../../src/adapters/express.ts";
import type { Ask } from "./express-statuses.ts";
import { checkStatuses } from "./express-statuses.ts";
import type { TestKyros } from "./guarded-app.ts";
import { serve, testKyros } from "./guarded-app.ts";

describe("what an Express app behind the guards answers", () => {
  let test: TestKyros;
  before(async () => {
    test = await testKyros();
  });
  const bearer = (role: "user" | "moderator" | "admin") => ({ authorization: `Bearer ${test.tokens[role]}` });
  const statusesOf = (build: (app: Express) => void, asks: readonly Ask[]) =>
    checkStatuses(test.kyros, build, asks);

  it("refuses a form without its token, also where nobody parses it", async () => {
    const { kyros, cookie, csrf } = test;
    const type = "application/x-www-form-urlencoded";
    const form = (body: string) => ({ method: "POST", body });
    const own = { cookie, "sec-fetch-site": "same-origin", "content-type": type };
    const open = guarded(kyros.requireUser(), (request, response) =>
      response.json(request.currentUser.username),
    );
    await statusesOf(
      (app) => {
        app.post("/unparsed", open);
        app.use(express.urlencoded());
        app.post("/parsed", open);
        app.post("/unguarded", (_request, response) => void response.send("x"));
      },
      [
        ["/parsed", own, 403, form("a=1")],
        ["/parsed", own, 200, form(`a=1&_csrf=${csrf}`)],
        ["/parsed", own, 403, form(`_csrf=${csrf}x`)],
        ["/parsed", own, 403, form(`_csrf=${csrf}&_csrf=${csrf}`)],
        ["/parsed", own, 403, form(`__proto__[_csrf]=${csrf}`)],
        ["/parsed", { ...own, "sec-fetch-site": "cross-site" }, 403, form(`_csrf=${csrf}`)],
        ["/parsed", { ...own, "x-csrf-token": csrf }, 200, form("a=1")],
        ["/unparsed", own, 403, form(`_csrf=${csrf}`)],
        ["/unguarded", own, 403, form(`_csrf=${csrf}`)],
        ["/unguarded", { ...own, "x-csrf-token": csrf }, 200, form("a=1")],
      ],
    );
  });

  it("answers errors as problems, and nothing of their words", async () => {
    const { kyros } = test;
    const json = { "content-type": "application/json", ...bearer("user") };
    const fail = (error: unknown) => () => Promise.reject(error);
    await statusesOf(
      (app) => {
        app.use(express.json({ limit: 100 }));
        app.post(
          "/json",
          guarded(kyros.requireUser(), (request, response) => response.json(request.body)),
        );
        app.get("/string", guarded(kyros.allowAnonymous(), fail("a word")));
        app.get(
          "/status",
          guarded(kyros.allowAnonymous(), fail(Object.assign(new Error("x"), { status: 409 }))),
        );
        app.get(
          "/files",
          guarded(kyros.allowAnonymous(), (_request, response) => response.sendFile("/nowhere/at/all")),
        );
        app.get(
          "/set",
          guarded(kyros.allowAnonymous(), (_request, response) => {
            response.type("html").setHeader("x-half-done", "1");
            throw new Error("secret words");
          }),
        );
        app.get("/own", guarded(kyros.allowAnonymous(), fail(new Error("handled"))));
        app.get(
          "/params/:id",
          guarded(kyros.allowAnonymous(), (request, response) => response.send(request.params["id"])),
        );
      },
      [
        ["/json", json, 200, { method: "POST", body: "{}" }],
        ["/json", json, 400, { method: "POST", body: "{" }],
        ["/json", json, 413, { method: "POST", body: JSON.stringify("x".repeat(200)) }],
        ["/string", {}, 500],
        ["/status", {}, 409],
        ["/files", {}, 404],
        ["/set", {}, 500],
        ["/params/%zz", bearer("user"), 400],
      ],
    );
  });

  it("carries the staged headers on redirects, streams and own writes, and lets a handler have the last word", async () => {
    const { kyros } = test;
    const app = express();
    kyrosExpress(app, { kyros });
    const open = (path: string, handler: Parameters<typeof guarded>[1]) =>
      app.get(path, guarded(kyros.allowAnonymous(), handler as never));
    open("/redirect", (_request, response) => response.redirect("/elsewhere"));
    open("/stream", async (_request, response) => {
      response.write("one ");
      await wait(1);
      response.end("two");
    });
    open("/raw", (_request, response) => response.writeHead(201, { "x-own": "1" }).end("x"));
    open("/frame", (_request, response) => response.set("x-frame-options", "SAMEORIGIN").send("x"));
    open("/after", (_request, response) => {
      response.send("x");
      throw new Error("too late");
    });
    await serve(app, async (url) => {
      for (const path of ["/redirect", "/stream", "/raw", "/frame"]) {
        const response = await fetch(url + path, { redirect: "manual" });
        await response.text();
        assert.ok(response.headers.get("content-security-policy"), path);
        assert.ok(response.headers.get("x-request-id"), path);
      }
      assert.equal((await fetch(`${url}/frame`)).headers.get("x-frame-options"), "SAMEORIGIN");
      // What was answered stays answered.
      await fetch(`${url}/after`).then(
        (response) => response.text(),
        () => undefined,
      );
      assert.equal((await fetch(`${url}/raw`)).status, 201);
    });
  });

  it("keeps a handler's headers in whichever form writeHead is given them, and adds to its Vary", async () => {
    const origin = "https://app.example";
    const cors = await testKyros({ cors: { origins: [origin] } });
    const heads: Readonly<Record<string, (response: express.Response) => unknown>> = {
      object: (response) => response.writeHead(201, { "x-own": "1", vary: "Accept" }),
      unreasoned: (response) => response.writeHead(201, undefined, { "x-own": "1", vary: "Accept" }),
      reason: (response) => response.writeHead(201, "Made", { "x-own": "1", vary: "Accept" }),
      flat: (response) => response.writeHead(201, ["x-own", "1", "Vary", "Accept"]),
      pairs: (response) =>
        response.writeHead(201, [
          ["x-own", "1"],
          ["Vary", "Accept"],
        ] as unknown as string[]),
      before: (response) => response.status(201).set({ "x-own": "1" }).vary("Accept"),
      both: (response) => response.vary("Accept").writeHead(201, { "x-own": "1" }),
    };
    const app = express();
    kyrosExpress(app, { kyros: cors.kyros });
    for (const [name, write] of Object.entries(heads)) {
      app.get(
        `/${name}`,
        guarded(cors.kyros.allowAnonymous(), (_request, response) => {
          write(response);
          response.end("x");
        }),
      );
    }
    await serve(app, async (url) => {
      for (const name of Object.keys(heads)) {
        const response = await fetch(`${url}/${name}`, { headers: { origin } });
        assert.deepEqual([response.status, response.headers.get("x-own")], [201, "1"], name);
        assert.equal(response.headers.get("access-control-allow-origin"), origin, name);
        assert.deepEqual(response.headers.get("vary")?.split(", ").toSorted(), ["Accept", "Origin"], name);
      }
    });
  });
});
