import type { RequestListener, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { getConnInfo } from "@hono/node-server/conninfo";
import express from "express";
import type { FastifyInstance } from "fastify";
import Fastify from "fastify";
import { Hono } from "hono";
import * as onExpress from "../../src/adapters/express.ts";
import { kyrosFastify } from "../../src/adapters/fastify.ts";
import { guard, kyrosHono } from "../../src/adapters/hono.ts";
import { guarded } from "../../src/adapters/node.ts";
import type { Kyros } from "../../src/index.ts";
import { problem, Refusal } from "../../src/index.ts";

const JSON_TYPE = "application/json; charset=utf-8";

const crash = () => {
  throw new Error("a detail that is nobody's business");
};
const refuse = () => {
  throw new Refusal(problem("conflict", "It is taken."));
};

export function fastifyHost(kyros: Kyros): FastifyInstance {
  const app = Fastify({ logger: false });
  app.register(kyrosFastify, { kyros });
  app.register(async (scope) => {
    scope.get("/user", kyros.requireUser(), (request, reply) => {
      reply.send({ name: request.currentUser.username });
    });
    scope.post("/user", kyros.requireUser(), (request, reply) => {
      reply.send({ name: request.currentUser.username });
    });
    scope.get("/public", kyros.allowAnonymous(), (request, reply) => {
      reply.send({ name: request.currentUser?.username ?? null });
    });
    scope.get("/optional", kyros.optionalUser(), (request, reply) => {
      reply.send({ name: request.currentUser?.username ?? null });
    });
    scope.get("/admin", kyros.requireRole("admin"), (request, reply) => {
      reply.send({ name: request.currentUser.username });
    });
    scope.get("/scope", kyros.requireScope("jobs:read"), (request, reply) => {
      reply.send({ name: request.currentUser.username });
    });
    scope.get("/crash", kyros.allowAnonymous(), crash);
    scope.get("/crash-later", kyros.allowAnonymous(), async () => crash());
    scope.get("/refuse", kyros.allowAnonymous(), refuse);
  });
  return app;
}

function json(response: ServerResponse, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(200, { "content-type": JSON_TYPE, "content-length": Buffer.byteLength(text) });
  response.end(text);
}

export function nodeHost(kyros: Kyros): Server {
  const routes: Readonly<Record<string, RequestListener>> = {
    "/user": guarded(kyros, kyros.requireUser(), (_request, response, { user }) =>
      json(response, { name: user.username }),
    ),
    "/public": guarded(kyros, kyros.allowAnonymous(), (_request, response, { user }) =>
      json(response, { name: user?.username ?? null }),
    ),
    "/optional": guarded(kyros, kyros.optionalUser(), (_request, response, { user }) =>
      json(response, { name: user?.username ?? null }),
    ),
    "/admin": guarded(kyros, kyros.requireRole("admin"), (_request, response, { user }) =>
      json(response, { name: user.username }),
    ),
    "/scope": guarded(kyros, kyros.requireScope("jobs:read"), (_request, response, { user }) =>
      json(response, { name: user.username }),
    ),
    "/crash": guarded(kyros, kyros.allowAnonymous(), crash),
    "/crash-later": guarded(kyros, kyros.allowAnonymous(), async () => crash()),
    "/refuse": guarded(kyros, kyros.allowAnonymous(), refuse),
  };
  return createServer((request, response) => routes[request.url!.split("?", 1)[0]!]!(request, response));
}

export function expressHost(kyros: Kyros): express.Express {
  const app = express();
  onExpress.kyrosExpress(app, { kyros });
  app.set("etag", false);
  const user = onExpress.guarded(kyros.requireUser(), (request, response) => {
    response.json({ name: request.currentUser.username });
  });
  const nobody: express.RequestHandler = (request, response) => {
    response.json({ name: request.currentUser?.username ?? null });
  };
  app.get("/user", user);
  app.post("/user", user);
  app.get("/public", onExpress.guarded(kyros.allowAnonymous(), nobody));
  app.get("/optional", onExpress.guarded(kyros.optionalUser(), nobody));
  app.get("/admin", onExpress.guardAll(kyros.requireRole("admin")), nobody);
  app.get("/scope", onExpress.guardAll(kyros.requireScope("jobs:read")), nobody);
  app.get("/crash", onExpress.guarded(kyros.allowAnonymous(), crash));
  app.get(
    "/crash-later",
    onExpress.guarded(kyros.allowAnonymous(), async () => crash()),
  );
  app.get("/refuse", onExpress.guarded(kyros.allowAnonymous(), refuse));
  return app;
}

export function honoHost(kyros: Kyros): Hono {
  const app = new Hono();
  kyrosHono(app, { kyros, connInfo: getConnInfo });
  const answer = (name: string | null) => {
    const text = JSON.stringify({ name });
    return new Response(text, {
      headers: { "content-type": JSON_TYPE, "content-length": String(Buffer.byteLength(text)) },
    });
  };
  app.get("/user", guard(kyros.requireUser()), (c) => answer(c.var.currentUser.username));
  app.post("/user", guard(kyros.requireUser()), (c) => answer(c.get("currentUser").username));
  app.get("/public", guard(kyros.allowAnonymous()), (c) => answer(c.var.currentUser?.username ?? null));
  app.get("/optional", guard(kyros.optionalUser()), (c) => answer(c.var.currentUser?.username ?? null));
  app.get("/admin", guard(kyros.requireRole("admin")), (c) => answer(c.var.currentUser.username));
  app.get("/scope", guard(kyros.requireScope("jobs:read")), (c) => answer(c.var.currentUser.username));
  app.get("/crash", guard(kyros.allowAnonymous()), crash);
  app.get("/crash-later", guard(kyros.allowAnonymous()), async () => crash());
  app.get("/refuse", guard(kyros.allowAnonymous()), refuse);
  return app;
}
