import type { FastifyReply, FastifyRequest } from "fastify";
import { answerToError, send } from "../adapters/fastify.ts";
import { asRefusal } from "../adapters/fastify-problem.ts";
import type { Problem } from "../kernel/problem.ts";
import { PROBLEMS, problem } from "../kernel/problem.ts";
import { problemOf } from "../pipeline/to-answer.ts";
import type { Service } from "./service.ts";

/** The error codes of RFC 6749 section 5.2 and RFC 6750 section 3.1 that can occur here, and the problem that each is. */
const ERRORS = {
  invalid_request: { status: 400, code: "validation_failed" },
  invalid_client: { status: 401, code: "invalid_credentials" },
  unsupported_grant_type: { status: 400, code: "validation_failed" },
  invalid_scope: { status: 400, code: "insufficient_scope" },
  insufficient_scope: { status: 403, code: "insufficient_scope" },
} as const;

export type OAuthError = keyof typeof ERRORS;

/**
 * Refuses in the form that OAuth clients read: `application/json` with `error` (RFC 6749 section 5.2), and beside it
 * the members of every other problem.
 */
export function refuseOAuth(
  request: FastifyRequest,
  reply: FastifyReply,
  error: OAuthError,
  description: string,
) {
  const { status, code } = ERRORS[error];
  if (status === 401) reply.header("www-authenticate", 'Basic realm="kyros", charset="UTF-8"');
  return answer(request, reply, error, problem(code, description, { status }));
}

/**
 * What a route of `/oauth/*` has for an error handler: a request that cannot be read is `invalid_request` in the same
 * form; an outage or a crash is no fault of the client's and stays a problem.
 */
export function createOAuthErrorHandler(service: Service) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const refusal = problemOf(asRefusal(error));
    if (refusal.status >= 500) send(reply, answerToError(service, request, reply, error));
    else answer(request, reply, "invalid_request", refusal);
  };
}

function answer(request: FastifyRequest, reply: FastifyReply, error: OAuthError, refusal: Problem) {
  const { status, code, detail, errors } = refusal;
  return reply
    .code(status)
    .type("application/json; charset=utf-8")
    .header("cache-control", "no-store")
    .send({
      error,
      error_description: detail,
      type: `urn:kyros:problem:${code}`,
      title: PROBLEMS[code].title,
      status,
      detail,
      instance: request.exchange.requestId,
      code,
      ...(errors && { errors }),
    });
}
