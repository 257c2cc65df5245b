import type { FastifyInstance } from "fastify";
import createRouter from "find-my-way";
import { Refusal } from "../kernel/failure.ts";
import { problem } from "../kernel/problem.ts";

/**
 * Answers a method that a path does not have with 405 and `Allow` (RFC 9110 section 15.5.6), before a body is read.
 * Call it before the routes. It knows paths by the router that Fastify itself is built on, with the same options, so
 * that both read a target alike.
 */
export function installMethodRefusals(app: FastifyInstance, routerOptions: { maxParamLength: number }): void {
  const paths = createRouter(routerOptions);
  const methodsOf = new Map<string, Set<string>>();

  app.addHook("onRoute", ({ url, method }) => {
    let methods = methodsOf.get(url);
    if (methods === undefined) {
      methods = new Set();
      methodsOf.set(url, methods);
      paths.on("GET", url, () => undefined, { methods });
    }
    for (const one of [method].flat()) methods.add(one);
  });

  app.addHook("onRequest", (request, _reply, done) => {
    const path = request.is404 ? paths.find("GET", request.url) : null;
    if (path === null) return done();
    const allow = [...(path.store as { methods: ReadonlySet<string> }).methods].sort().join(", ");
    done(new Refusal(problem("method_not_allowed", `Use ${allow}.`, { headers: ["allow", allow] })));
  });
}
