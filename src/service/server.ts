import type { Socket } from "node:net";
import Fastify from "fastify";
import { answerToError, kyrosFastify, send } from "../adapters/fastify.ts";
import { installBodyTypes } from "./body-types.ts";
import { installMessageRules } from "./message-rules.ts";
import { installMethodRefusals } from "./methods.ts";
import { refuseUnread } from "./refuse-unread.ts";
import { installRoutes } from "./routes.ts";
import { schemaCompilers } from "./schema-compilers.ts";
import type { App, Service } from "./service.ts";

/** Bytes; no endpoint takes more than a form's worth. */
const BODY_LIMIT = 64 * 1024;
const HEADER_LIMIT = 16 * 1024;
/** A request that has not arrived whole by then is not going to (ms). */
const REQUEST_TIMEOUT_MS = 30_000;
const ROUTER = { maxParamLength: 256 };

/** The service's HTTP face: Fastify with the guards before every route, and RFC 9457 whatever happens. */
export async function createServer(service: Service): Promise<App> {
  const refused = new WeakSet<Socket>();
  const app: App = Fastify({
    logger: false,
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: "idle",
    return503OnClosing: false,
    routerOptions: ROUTER,
    // Without a Host node would answer by itself, without a header of ours.
    http: { maxHeaderSize: HEADER_LIMIT, headersTimeout: REQUEST_TIMEOUT_MS, requireHostHeader: false },
    schemaController: schemaCompilers,
    ajv: {
      // Verbose: a fault then knows the words in which its schema says what it takes.
      customOptions: {
        removeAdditional: false,
        coerceTypes: false,
        useDefaults: true,
        allErrors: true,
        verbose: true,
      },
    },
    clientErrorHandler: (error, socket) => {
      if (!refused.has(socket)) refuseUnread(service.pipeline, error, socket);
    },
    frameworkErrors: (error, request, reply) => send(reply, answerToError(service, request, reply, error)),
  });

  installMessageRules(app, service.pipeline, refused);
  await app.register(kyrosFastify, { kyros: service });
  installMethodRefusals(app, ROUTER);
  installBodyTypes(app);
  installRoutes(app, service);
  return app;
}
