import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { Type } from "typebox";
import { PUBLIC_RULE } from "../../kernel/rule.ts";
import type { RouteGuard } from "../../pipeline/gate.ts";
import { routeGuards } from "../../pipeline/route-guards.ts";
import type { App, Service } from "../service.ts";

const ASSETS: Readonly<Record<string, string>> = {
  "swagger-ui.css": "text/css; charset=utf-8",
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
};

export function documentationRoutes(app: App, service: Service): void {
  const readers: RouteGuard = service.openDocumentation
    ? routeGuards.allowAnonymous({ page: true })
    : routeGuards.requireRole("admin", { page: true });
  const schema = { summary: "This description, as OpenAPI 3.1", response: { 200: Type.Unknown() } };

  let description: Promise<unknown> | undefined;
  app.get("/openapi.json", { ...readers, schema }, async () => {
    description ??= import("../describe-api.ts").then(({ describeApi }) => describeApi(service));
    return description;
  });

  app.get(
    "/docs",
    {
      ...readers,
      schema: {
        summary: "This description, as a page",
        produces: ["text/html"],
        response: { 200: Type.String() },
      },
    },
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
<link rel="icon" href="data:,">
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
