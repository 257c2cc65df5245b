import swagger from "@fastify/swagger";
import Fastify from "fastify";
import { DEFAULT_RULE } from "../kernel/rule.ts";
import { installRoutes } from "./routes.ts";
import { schemaCompilers } from "./schema-compilers.ts";
import type { App, Service } from "./service.ts";

/**
 * The OpenAPI 3.1 description of the service, from the schemas and rules of its routes. They are registered once more,
 * in an app that never listens: whoever never asks for the description does not load and wait for what makes it.
 */
export async function describeApi(service: Service): Promise<unknown> {
  const app: App = Fastify({ logger: false, schemaController: schemaCompilers });
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Kyros",
        description:
          "The security of an orchestrator service. Refusals are RFC 9457 problems with a stable `code`.",
        version: "1",
      },
      components: {
        securitySchemes: {
          bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
          apiKey: { type: "apiKey", in: "header", name: "X-API-Key" },
          session: { type: "apiKey", in: "cookie", name: "__Host-kyros_session" },
        },
      },
    },
    // What a route asks of its callers is in its rule; said once there, it is documented from there.
    transform: ({ schema, url, route }) => {
      const rule = route.config?.kyros ?? DEFAULT_RULE;
      const security = rule.access === "public" ? [] : [{ bearer: [] }, { apiKey: [] }, { session: [] }];
      return { schema: { security, ...schema }, url };
    },
  });
  installRoutes(app, service);
  await app.ready();
  return app.swagger();
}
