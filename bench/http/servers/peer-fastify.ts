import cookie from "@fastify/cookie";
import cors from "@fastify/cors";
import csrf from "@fastify/csrf-protection";
import helmet from "@fastify/helmet";
import jwt from "@fastify/jwt";
import rateLimit from "@fastify/rate-limit";
import Fastify, { type FastifyReply, type FastifyRequest } from "fastify";
import { openPeerUsers, type PeerUser } from "./peer-users.ts";
import { announce, readSettings } from "./settings.ts";

declare module "fastify" {
  interface FastifyRequest {
    account: PeerUser | null;
  }
}

const { key, issuer, audience, peersDatabase } = readSettings();
const findUser = openPeerUsers(peersDatabase);

const app = Fastify();
await app.register(helmet);
await app.register(cors, { origin: ["https://console.example"], credentials: true });
// So high that nobody is refused: what is measured is the counting.
await app.register(rateLimit, { max: 1_000_000_000, timeWindow: "15 minutes" });
await app.register(cookie);
await app.register(csrf);
app.decorateRequest("account", null);
await app.register(jwt, {
  secret: key,
  sign: { algorithm: "HS512" },
  verify: { algorithms: ["HS512"], allowedIss: issuer, allowedAud: audience },
});
async function authenticate(request: FastifyRequest, reply: FastifyReply) {
  const { sub } = await request.jwtVerify<{ sub: string }>();
  const user = findUser(sub);
  if (!user) return reply.code(401).send({ message: "Unauthorized" });
  request.account = user;
}

app.get(
  "/protected",
  {
    schema: { response: { 200: { type: "object", properties: { message: { type: "string" } } } } },
    onRequest: authenticate,
  },
  async (request) => ({ message: `Hello, ${request.account?.username}!` }),
);
await app.listen({ host: "127.0.0.1", port: 0 });
announce(app.server.address());
