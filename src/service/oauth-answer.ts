import type { FastifyReply, FastifyRequest } from "fastify";
import { PROBLEMS } from "../kernel/problem.ts";

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
  return reply
    .code(status)
    .type("application/json; charset=utf-8")
    .header("cache-control", "no-store")
    .send({
      error,
      error_description: description,
      type: `urn:kyros:problem:${code}`,
      title: PROBLEMS[code].title,
      status,
      detail: description,
      instance: request.exchange.requestId,
      code,
    });
}
