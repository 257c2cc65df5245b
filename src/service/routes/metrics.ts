import { Type } from "typebox";
import { routeGuards } from "../../pipeline/route-guards.ts";
import type { Exposition } from "../../telemetry/exposition.ts";
import type { App } from "../service.ts";

/** Metrics on the main port are an admin's alone, or a key of an admin's with the scope for just this. */
export function metricsRoutes(app: App, metrics: Exposition): void {
  app.get(
    "/metrics",
    {
      ...routeGuards.requireRole("admin", { scopes: ["metrics:read"] }),
      schema: {
        summary: "Metrics in the text format of Prometheus",
        produces: ["text/plain"],
        response: { 200: Type.String() },
      },
    },
    async (_request, reply) => {
      const text = await metrics.text();
      return reply.type(metrics.contentType).header("cache-control", "no-store").send(text);
    },
  );
}
