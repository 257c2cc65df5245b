import { Type } from "typebox";
import { routeGuards } from "../../pipeline/route-guards.ts";
import type { App, Service } from "../service.ts";

/** Probes are no client's requests: not limited, so that no client can make a healthy instance look dead. */
const probe = routeGuards.allowAnonymous({ limit: "off", plainHttp: true });

export function probeRoutes(app: App, service: Service): void {
  app.get(
    "/healthz",
    {
      ...probe,
      schema: { summary: "Alive", response: { 200: Type.Object({ status: Type.Literal("ok") }) } },
    },
    (_request, reply) => {
      reply.header("cache-control", "no-store").send({ status: "ok" });
    },
  );

  const Readiness = Type.Object({
    status: Type.Enum(["ready", "not_ready"]),
    dependencies: Type.Object({
      database: Type.Object({ status: Type.Enum(["ok", "unavailable"]) }),
      // Degraded is still ready: limits go on in each instance's memory.
      redis: Type.Optional(Type.Object({ status: Type.Enum(["ok", "degraded"]) })),
    }),
  });
  app.get(
    "/readyz",
    { ...probe, schema: { summary: "Ready to serve", response: { 200: Readiness, 503: Readiness } } },
    async (_request, reply) => {
      const database = await service.stores.health().then(
        () => "ok" as const,
        () => "unavailable" as const,
      );
      const isReady = database === "ok" && service.isAccepting();
      reply.code(isReady ? 200 : 503).header("cache-control", "no-store");
      return {
        status: isReady ? ("ready" as const) : ("not_ready" as const),
        dependencies: {
          database: { status: database },
          ...(service.redis && {
            redis: { status: service.redis.state() === "closed" ? ("ok" as const) : ("degraded" as const) },
          }),
        },
      };
    },
  );
}
