import Fastify from "fastify";
import { announce, readSettings } from "./settings.ts";

readSettings();
const app = Fastify();
app.get(
  "/protected",
  { schema: { response: { 200: { type: "object", properties: { message: { type: "string" } } } } } },
  async () => ({ message: "Hello, user-1000!" }),
);
await app.listen({ host: "127.0.0.1", port: 0 });
announce(app.server.address());
