import Fastify from "fastify";
import { kyrosFastify } from "../../../src/adapters/fastify.ts";
import type { Kyros } from "../../../src/index.ts";
import { announce } from "./settings.ts";

/** Serves `GET /protected` by Fastify behind a Kyros. */
export async function serveFastify(kyros: Kyros): Promise<void> {
  const app = Fastify();
  await app.register(kyrosFastify, { kyros });
  app.get(
    "/protected",
    {
      ...kyros.requireUser(),
      schema: { response: { 200: { type: "object", properties: { message: { type: "string" } } } } },
    },
    async (request) => ({ message: `Hello, ${request.currentUser.username}!` }),
  );
  await app.listen({ host: "127.0.0.1", port: 0 });
  announce(app.server.address());
}
