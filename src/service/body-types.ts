import type { FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from "fastify";
import { Refusal } from "../kernel/failure.ts";
import { problem } from "../kernel/problem.ts";
import { JsonFault, parseStrictJson } from "../kernel/strict-json.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** The media types this route takes; JSON alone where it says nothing. `unread`: it answers before any body is read. */
    bodyTypes?: readonly string[] | "unread";
  }
}

export const JSON_TYPE = "application/json";
export const FORM_TYPE = "application/x-www-form-urlencoded";
export const CSP_REPORT_TYPE = "application/csp-report";
export const REPORTS_TYPE = "application/reports+json";

const JSON_ALONE: readonly string[] = [JSON_TYPE];
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/**
 * Lets a route take the media types it declares and nothing else, judged here on the media type itself and not on its
 * spelling: a body that a browser may send across sites without asking (`text/plain`, a form) is never read as JSON
 * (ASVS V3.5.2, V1.5.3).
 */
export function installBodyTypes(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  for (const type of [JSON_TYPE, CSP_REPORT_TYPE, REPORTS_TYPE]) {
    app.addContentTypeParser(type, { parseAs: "buffer" }, (_request, body, done) =>
      settle(done, () => readJson(body as Buffer)),
    );
  }
  app.addContentTypeParser(FORM_TYPE, { parseAs: "buffer" }, (_request, body, done) =>
    settle(done, () => readForm(body as Buffer)),
  );
  app.addHook("onRequest", (request, _reply, done) => {
    const declared = request.routeOptions.config?.bodyTypes ?? JSON_ALONE;
    if (declared === "unread" || !hasBody(request)) return done();
    if (!isAmong(declared, request)) {
      done(new Refusal(problem("unsupported_media_type", `Send ${declared.join(" or ")}.`)));
    } else if (isEncoded(request)) {
      done(new Refusal(problem("unsupported_media_type", "Send the body without a content coding.")));
    } else done();
  });
  app.addHook("onRoute", (route) => {
    if (hasSchemaPerType(route.schema?.body))
      route.preValidation = [route.preValidation ?? [], requireBody].flat();
  });
}

function hasSchemaPerType(body: unknown): boolean {
  return typeof body === "object" && body !== null && "content" in body;
}

/** Fastify picks a schema by the media type: a request that names none would reach its handler unjudged. */
function requireBody(request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void {
  if (request.body !== undefined) done();
  else done(new Refusal(problem("validation_failed", "Send a body.")));
}

function settle(done: (error: Error | null, body?: unknown) => void, read: () => unknown): void {
  let body: unknown;
  try {
    body = read();
  } catch (error) {
    done(error as Error);
    return;
  }
  done(null, body);
}

/** A body as RFC 9112 section 6 announces one: empty ones are nobody's to judge. */
function hasBody(request: FastifyRequest): boolean {
  const { headers } = request;
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}

function isAmong(declared: readonly string[], request: FastifyRequest): boolean {
  const [essence, ...parameters] = (request.headers["content-type"] ?? "").split(";");
  if (!declared.includes(essence!.trim().toLowerCase())) return false;
  // Of parameters only the charset changes what the bytes mean, and only one charset is read.
  return parameters.every((parameter) => {
    const [name, value = ""] = parameter.trim().toLowerCase().split("=");
    return name !== "charset" || value === "utf-8" || value === '"utf-8"';
  });
}

/** A coded body is not what its type says, and none is decoded here: nothing that unpacks to a thousand times its size. */
function isEncoded({ headers }: FastifyRequest): boolean {
  return (headers["content-encoding"] ?? "identity").trim().toLowerCase() !== "identity";
}

function decode(body: Buffer): string {
  try {
    return utf8.decode(body);
  } catch {
    throw new Refusal(problem("validation_failed", "The body is not UTF-8."));
  }
}

function readJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  try {
    return parseStrictJson(decode(body));
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    throw new Refusal(
      problem("validation_failed", `The body is not JSON that can be taken: ${error.message}.`),
    );
  }
}

/** A form as flat text fields. One that comes twice is refused: which of the two counts is what attackers ask. */
function readForm(body: Buffer): Record<string, string> {
  const fields: Record<string, string> = Object.create(null);
  for (const [name, value] of new URLSearchParams(decode(body))) {
    if (name in fields) throw new Refusal(problem("validation_failed", "A form field comes twice."));
    fields[name] = value;
  }
  return { ...fields };
}
