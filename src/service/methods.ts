import { METHODS } from "node:http";
import type { FastifyInstance } from "fastify";
import { Refusal } from "../kernel/failure.ts";
import { problem } from "../kernel/problem.ts";
import { routeGuards } from "../pipeline/route-guards.ts";

/** Not requests for a resource: node answers a CONNECT by closing, and the rest are other protocols' words. */
const NEVER = new Set(["CONNECT", "M-SEARCH", "SOURCE"]);

/**
 * Answers every method a path does not have with 405 and `Allow` (RFC 9110 section 15.5.6), by registering the rest
 * of its methods as routes: the router that matched the path decides, not a second reading of its text.
 * Call it before the routes and `close` it after them.
 */
export function installMethodRefusals(app: FastifyInstance): { close(): void } {
  const methodsOf = new Map<string, Set<string>>();
  const all = METHODS.filter((method) => !NEVER.has(method));
  for (const method of all) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method);

  app.addHook("onRoute", (route) => {
    const known = methodsOf.get(route.url) ?? new Set<string>();
    for (const method of [route.method].flat()) known.add(method);
    methodsOf.set(route.url, known);
  });

  return {
    close() {
      for (const [url, known] of [...methodsOf]) {
        if (known.has("GET")) known.add("HEAD");
        const allow = [...known].sort().join(", ");
        const refusal = problem("method_not_allowed", `Use ${allow}.`, { headers: ["allow", allow] });
        app.route({
          method: all.filter((method) => !known.has(method)),
          url,
          schema: { hide: true },
          config: routeGuards.allowAnonymous({ csrf: "exempt" }).config,
          // Before a body is read: there is nothing to read it for.
          onRequest: (_request, _reply, done) => done(new Refusal(refusal)),
          handler: () => {
            throw new Refusal(refusal);
          },
        });
      }
    },
  };
}
