import type { FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";
import { send } from "../../adapters/fastify.ts";
import { NodeView } from "../../adapters/node-view.ts";
import { routeGuards } from "../../pipeline/route-guards.ts";
import { ENVOY_PREFIX } from "../forward-auth/envoy.ts";
import { identityHeaders } from "../forward-auth/identity-headers.ts";
import type { App, Service } from "../service.ts";

export function forwardAuthRoutes(app: App, service: Service): void {
  const { forwardAuth, pipeline } = service;

  /** Before any body is read: what comes with a proxy's question is the service's behind it. */
  function answer(request: FastifyRequest, reply: FastifyReply): void {
    const { exchange } = request;
    if (exchange.csrfPending) {
      const decision = service.checkForm(exchange, undefined);
      if (decision.kind === "deny") {
        send(reply, pipeline.refuse(exchange, decision.problem, decision.cause));
        return;
      }
    }
    reply.headers({ "cache-control": "no-store", ...identityHeaders(exchange.principal) }).send();
  }

  const route = {
    config: {
      // What the documentation shows; what is asked for is the gate's rule for the request that the proxy tells of.
      ...routeGuards.requireUser().config,
      bodyTypes: "unread" as const,
      openExchange: (request: FastifyRequest) => forwardAuth.open(new NodeView(request.raw)),
    },
    onRequest: answer,
    handler: answer,
  };
  const others = app.supportedMethods.filter((method) => method !== "GET");
  app.route({
    ...route,
    method: "GET",
    url: ENVOY_PREFIX,
    exposeHeadRoute: false,
    schema: {
      summary: "For proxies: may this request pass, and whose is it?",
      response: { 200: Type.Null({ description: "With X-Auth-User, X-Auth-Role and X-Auth-Scopes" }) },
    },
  });
  app.route({ ...route, method: others, url: ENVOY_PREFIX, schema: { hide: true } });
  app.route({ ...route, method: ["GET", ...others], url: `${ENVOY_PREFIX}/*`, schema: { hide: true } });
}
