import Fastify from "fastify";
import { answerToError, kyrosFastify, send } from "../adapters/fastify.ts";
import { installBodyTypes } from "./body-types.ts";
import { installMethodRefusals } from "./methods.ts";
import { refuseUnread } from "./refuse-unread.ts";
import { adminUserRoutes } from "./routes/admin-users.ts";
import { apiKeyRoutes } from "./routes/api-keys.ts";
import { csrfRoutes } from "./routes/csrf.ts";
import { documentationRoutes, installOpenApi } from "./routes/documentation.ts";
import { oauthRoutes } from "./routes/oauth.ts";
import { passwordRoutes } from "./routes/password.ts";
import { probeRoutes } from "./routes/probes.ts";
import { securityRoutes } from "./routes/security.ts";
import { sessionRoutes } from "./routes/sessions.ts";
import { signInRoutes } from "./routes/sign-in.ts";
import { userRoutes } from "./routes/user.ts";
import type { App, Service } from "./service.ts";

/** Bytes; no endpoint takes more than a form's worth. */
const BODY_LIMIT = 64 * 1024;
const HEADER_LIMIT = 16 * 1024;
/** A request that has not arrived whole by then is not going to (ms). */
const REQUEST_TIMEOUT_MS = 30_000;

/** The service's HTTP face: Fastify with the guards before every route, and RFC 9457 whatever happens. */
export async function createServer(service: Service): Promise<App> {
  const app: App = Fastify({
    logger: false,
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: "idle",
    return503OnClosing: false,
    routerOptions: { maxParamLength: 256 },
    http: { maxHeaderSize: HEADER_LIMIT, headersTimeout: REQUEST_TIMEOUT_MS },
    ajv: {
      customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: true, allErrors: true },
    },
    clientErrorHandler: (error, socket) => refuseUnread(service.pipeline, error, socket),
    frameworkErrors: (error, request, reply) => send(reply, answerToError(service, request, reply, error)),
  });

  const methods = installMethodRefusals(app);
  await installOpenApi(app);
  await app.register(kyrosFastify, { kyros: service });
  installBodyTypes(app);

  signInRoutes(app, service);
  sessionRoutes(app, service);
  csrfRoutes(app, service);
  userRoutes(app, service);
  passwordRoutes(app, service);
  apiKeyRoutes(app, service);
  adminUserRoutes(app, service);
  oauthRoutes(app, service);
  probeRoutes(app, service);
  securityRoutes(app, service);
  documentationRoutes(app, service);
  methods.close();
  return app;
}
