import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import swagger from "@fastify/swagger";
import { Type } from "typebox";
import { DEFAULT_RULE, PUBLIC_RULE } from "../../kernel/rule.ts";
import type { RouteGuard } from "../../pipeline/gate.ts";
import { routeGuards } from "../../pipeline/route-guards.ts";
import type { App, Service } from "../service.ts";

const ASSETS: Readonly<Record<string, string>> = {
  "swagger-ui.css": "text/css; charset=utf-8",
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
};

/** Collects the OpenAPI description from the routes' schemas; before the routes. */
export async function installOpenApi(app: App): Promise<void> {
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
}

export function documentationRoutes(app: App, service: Service): void {
  const readers: RouteGuard = service.openDocumentation
    ? routeGuards.allowAnonymous({ page: true })
    : routeGuards.requireRole("admin", { page: true });
  const schema = { summary: "This description, as OpenAPI 3.1", response: { 200: Type.Unknown() } };

  app.get("/openapi.json", { ...readers, schema }, (_request, reply) => {
    reply.send(app.swagger());
  });

  app.get(
    "/docs",
    { ...readers, schema: { summary: "This description, as a page", produces: ["text/html"] } },
    (request, reply) => {
      const nonce = service.useNonce(request.exchange);
      reply.type("text/html; charset=utf-8").header("cache-control", "no-store").send(page(nonce));
    },
  );

  const files = createRequire(import.meta.url);
  for (const [name, type] of Object.entries(ASSETS)) {
    app.get(
      `/docs/${name}`,
      {
        config: { kyros: service.openDocumentation ? PUBLIC_RULE : readers.config.kyros },
        schema: { hide: true },
      },
      async (_request, reply) => {
        const content = await readFile(files.resolve(`swagger-ui-dist/${name}`));
        return reply.type(type).header("cache-control", "private, max-age=3600").send(content);
      },
    );
  }
}

function page(nonce: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Kyros API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<main id="api"></main>
<script src="/docs/swagger-ui-bundle.js" nonce="${nonce}"></script>
<script nonce="${nonce}">SwaggerUIBundle({ url: "/openapi.json", dom_id: "#api", deepLinking: true, validatorUrl: null });</script>
</body>
</html>
`;
}
