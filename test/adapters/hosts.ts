import type { RequestListener, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { FastifyInstance } from "fastify";
import Fastify from "fastify";
import { kyrosFastify } from "../../src/adapters/fastify.ts";
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
