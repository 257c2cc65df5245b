import { Type } from "typebox";
import { bindingOf } from "../../kernel/principal.ts";
import { routeGuards } from "../../pipeline/route-guards.ts";
import type { App, Service } from "../service.ts";

/** What a token is bound to where no session is: it proves nothing anywhere, and nothing asks for it there. */
const NO_SESSION = "anonymous";

export function csrfRoutes(app: App, service: Service): void {
  app.get(
    "/auth/csrf",
    {
      ...routeGuards.optionalUser(),
      schema: {
        summary: "The CSRF token of this session, to be echoed in X-CSRF-Token",
        response: { 200: Type.Object({ csrf_token: Type.String() }) },
      },
    },
    (request, reply) => {
      const { exchange } = request;
      const { principal } = exchange;
      const binding = principal.kind === "user" ? bindingOf(principal) : NO_SESSION;
      const token = service.csrfTokens.issue(binding, exchange.nowMs);
      const secure = exchange.client.scheme === "https" ? "; Secure" : "";
      reply.header("cache-control", "no-store");
      reply.header("x-csrf-token", token);
      // For scripts of the page to read and echo: alone it opens nothing, so it is not HttpOnly.
      reply.header("set-cookie", `csrf_token=${token}; Path=/; SameSite=Strict${secure}`);
      reply.send({ csrf_token: token });
    },
  );
}
