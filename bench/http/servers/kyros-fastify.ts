import Fastify from "fastify";
import { kyrosFastify } from "../../../src/adapters/fastify.ts";
import { openKyros } from "./kyros.ts";
import { announce, readSettings } from "./settings.ts";

const kyros = await openKyros(readSettings());
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
