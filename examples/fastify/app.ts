/**
 * An orchestrator's API with Kyros inside: its users and their sessions in a file or in PostgreSQL, its audit trail
 * beside them, its limits in Redis where there is one.
 */
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import Fastify from "fastify";
import { authenticateUser, createAccessToken, createAuditTrail, createKyros } from "kyros";
import { kyrosFastify } from "kyros/fastify";
import { openStores } from "kyros/stores";
import type { TProperties } from "typebox";
import { Type } from "typebox";

const {
  KYROS_SECRET: secret,
  DATABASE_URL: databaseUrl = "sqlite:jobs.db",
  REDIS_URL: redisUrl,
} = process.env;
if (secret === undefined) throw new Error("set KYROS_SECRET to what `kyros secret generate` prints");

const opened = await openStores({ secret, databaseUrl, ...(redisUrl && { redisUrl }) });
const trail = createAuditTrail({ secret, store: opened.stores.audit });
const kyros = createKyros({
  secret,
  ...opened,
  events: trail.events,
  limits: { default: "1000/1h" },
  // On your own machine; behind a proxy that speaks TLS, name it in `trustedProxies` instead.
  insecureHttp: true,
});

const app = Fastify().withTypeProvider<TypeBoxTypeProvider>();
await app.register(kyrosFastify, { kyros });

interface Job {
  readonly id: number;
  readonly command: string;
  readonly owner: string;
}
const jobs: Job[] = [];
const text = Type.String({ minLength: 1, maxLength: 128 });
const bodyOf = <T extends TProperties>(fields: T) => ({
  body: Type.Object(fields, { additionalProperties: false }),
});

app.post(
  "/login",
  { ...kyros.allowAnonymous(), schema: bodyOf({ username: text, password: text }) },
  async (request, reply) => {
    const { username, password } = request.body;
    const origin = { address: request.exchange.client.address };
    const user = await authenticateUser(kyros, username, password, origin);
    reply.header("cache-control", "no-store");
    if (user === null) return reply.code(401).send({ message: "That is not a name with its password." });
    if ("mfaToken" in user)
      return reply.code(401).send({ message: "Sign in at the service, with both factors." });
    return { access_token: await createAccessToken(kyros, user, origin), token_type: "bearer" };
  },
);

app.get("/jobs", kyros.requireUser(), async (request) =>
  jobs.filter((job) => job.owner === request.currentUser.id),
);

app.post(
  "/jobs",
  { ...kyros.requireScope("jobs:write"), schema: bodyOf({ command: text }) },
  async (request, reply) => {
    const job = { id: jobs.length + 1, command: request.body.command, owner: request.currentUser.id };
    jobs.push(job);
    return reply.code(201).send(job);
  },
);

app.get("/admin/jobs", kyros.requireRole("admin"), async () => jobs);

app.get("/readyz", kyros.allowAnonymous({ limit: "off" }), async () => {
  await opened.health(); // an outage is answered 503, as anywhere
  return { status: "ok" };
});

app.addHook("onClose", async () => {
  await kyros.settle();
  await trail.close();
  await opened.close();
});
process.once("SIGTERM", () => void app.close());

console.log(
  `jobs listening on ${await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT ?? 3000) })}`,
);
