import assert from "node:assert/strict";
import type { Server } from "node:http";
import { before, describe, it } from "node:test";
import { createAdaptorServer } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import express from "express";
import { Hono } from "hono";
import { guardAll, guarded, kyrosExpress } from "../../src/adapters/express.ts";
import { guard, kyrosHono } from "../../src/adapters/hono.ts";
import { rawRequest, sendRaw } from "../service/raw-request.ts";
import { spellings } from "../service/spellings.ts";
import type { TestKyros } from "./guarded-app.ts";
import { serve, testKyros } from "./guarded-app.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"];

describe("spellings of a path", () => {
  let test: TestKyros;
  before(async () => {
    test = await testKyros();
  });

  it("R15: is closed in every spelling, by every method, on Express", async () => {
    const app = express();
    kyrosExpress(app, { kyros: test.kyros });
    app.get(
      "/healthz",
      guarded(test.kyros.allowAnonymous(), (_request, response) => response.send("ok")),
    );
    app.use("/admin", guardAll(test.kyros.requireRole("admin")));
    app.all("/admin", (_request, response) => void response.send("reached"));
    app.all("/jobs", (_request, response) => void response.send("reached"));
    await serve(app, async (url) => {
      for (const path of ["/admin", "/jobs"]) {
        for (const target of spellings(path)) {
          await Promise.all(
            METHODS.map(async (method) => {
              const answer = await sendRaw(url, rawRequest(method, target));
              assert.ok(
                answer !== undefined && answer.status >= 400 && answer.status < 500,
                `${method} ${target}`,
              );
              if (path !== "/admin") return;
              const lines = [`authorization: Bearer ${test.tokens.user}`];
              const shown = await sendRaw(url, rawRequest(method, target, lines));
              assert.ok(
                shown !== undefined && shown.status >= 400 && shown.status < 500,
                `${method} ${target}`,
              );
            }),
          );
        }
      }
    });
  });

  it("R15: is closed in every spelling, by every method, on Hono", async () => {
    const app = new Hono();
    kyrosHono(app, { kyros: test.kyros, connInfo: getConnInfo });
    app.get("/healthz", guard(test.kyros.allowAnonymous()), (c) => c.text("ok"));
    app.use("/admin/*", guard(test.kyros.requireRole("admin")));
    app.all("/admin", (c) => c.text("reached"));
    app.all("/jobs", (c) => c.text("reached"));
    await serve(createAdaptorServer({ fetch: app.fetch }) as Server, async (url) => {
      for (const path of ["/admin", "/jobs"]) {
        for (const target of spellings(path)) {
          await Promise.all(
            METHODS.map(async (method) => {
              const answer = await sendRaw(url, rawRequest(method, target));
              // Resolved by the Fetch standard to the open route itself, which is no secret.
              if (answer?.body === "ok" || (method === "HEAD" && target.includes("/healthz"))) return;
              assert.ok(
                answer !== undefined && answer.status >= 400 && answer.status < 500,
                `${method} ${target}`,
              );
              if (path !== "/admin") return;
              const lines = [`authorization: Bearer ${test.tokens.user}`];
              const shown = await sendRaw(url, rawRequest(method, target, lines));
              assert.ok(
                shown !== undefined && shown.status >= 400 && shown.status < 500,
                `${method} ${target}`,
              );
            }),
          );
        }
      }
    });
  });
});
