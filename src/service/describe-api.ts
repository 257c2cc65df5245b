import swagger from "@fastify/swagger";
import Fastify from "fastify";
import type { Rule } from "../kernel/rule.ts";
import { DEFAULT_RULE } from "../kernel/rule.ts";
import type { Description } from "./document-refusals.ts";
import { documentRefusals } from "./document-refusals.ts";
import { installRoutes } from "./routes.ts";
import { schemaCompilers } from "./schema-compilers.ts";
import type { App, Service } from "./service.ts";

/**
 * The OpenAPI 3.1 description of the service, from the schemas and rules of its routes. They are registered once more,
 * in an app that never listens: whoever never asks for the description does not load and wait for what makes it.
 */
export async function describeApi(service: Service): Promise<unknown> {
  const rules = new Map<string, Rule>();
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
          session: {
            type: "apiKey",
            in: "cookie",
            name: "__Host-kyros_session",
            description:
              "Over plain HTTP in development `kyros_session`. What changes state also needs X-CSRF-Token.",
          },
        },
      },
    },
    // What a route asks of its callers is in its rule; said once there, it is documented from there.
    transform: ({ schema, url, route }) => {
      const rule = route.config?.kyros ?? DEFAULT_RULE;
      const path = url.replace(/:(\w+)/g, "{$1}");
      for (const method of [route.method].flat()) rules.set(`${method.toLowerCase()} ${path}`, rule);
      const operationId = operationIdOf([route.method].flat()[0]!, path);
      return { schema: { operationId, security: securityOf(rule), ...schema }, url };
    },
  });
  installRoutes(app, service);
  await app.ready();
  const description = app.swagger() as unknown as Description;
  documentBodies(description);
  documentRefusals(description, (method, path) => rules.get(`${method} ${path}`) ?? DEFAULT_RULE);
  return description;
}

/** A body that may be absent is `null` to its schema, and not required of anybody. */
function documentBodies({ paths }: Description): void {
  for (const operations of Object.values(paths)) {
    for (const { requestBody } of Object.values(operations)) {
      const media = Object.values(requestBody?.content ?? {});
      if (media.some(({ schema }) => schema?.anyOf?.some(({ type }) => type === "null")))
        requestBody!.required = false;
    }
  }
}

/** What a route takes is in its rule. */
function securityOf({ access, callers }: Rule) {
  if (access === "public") return [];
  const nobody = access === "optional" ? [{}] : [];
  return [...nobody, { bearer: [] }, ...(callers === "people" ? [] : [{ apiKey: [] }]), { session: [] }];
}

/** What a generated client calls it: `getAdminUsersById`. */
function operationIdOf(method: string, path: string): string {
  const words = path.replace(/\{(\w+)\}/g, "by-$1").split(/[^A-Za-z0-9]+/);
  return method.toLowerCase() + words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join("");
}
