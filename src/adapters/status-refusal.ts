import { Outage, Refusal } from "../kernel/failure.ts";
import { problem } from "../kernel/problem.ts";

/**
 * A host's or framework's own client error, known by its status, as the refusal it is: it keeps its status, not its
 * words. Anything else is handed back as it came.
 */
export function asStatusRefusal(error: unknown): unknown {
  if (error instanceof Refusal || error instanceof Outage) return error;
  const { status, statusCode } = (typeof error === "object" && error !== null ? error : {}) as {
    status?: unknown;
    statusCode?: unknown;
  };
  const code = status ?? statusCode;
  if (typeof code !== "number" || !Number.isInteger(code) || code < 400 || code >= 500) return error;
  return new Refusal(refusalOf(code));
}

function refusalOf(status: number) {
  switch (status) {
    case 401:
      return problem("unauthenticated", "Sign in, or send a valid credential.");
    case 403:
      return problem("insufficient_role", "You are not allowed to do this.");
    case 404:
      return problem("not_found", "There is nothing here.");
    case 409:
      return problem("conflict", "The request conflicts with the current state.");
    case 413:
      return problem("payload_too_large", "Send a smaller body.");
    case 415:
      return problem("unsupported_media_type", "Send a content type that this endpoint takes.");
    default:
      return problem("validation_failed", "The request was refused.", { status });
  }
}
