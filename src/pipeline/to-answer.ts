import { Outage, Refusal } from "../kernel/failure.ts";
import type { Answer } from "../kernel/guard.ts";
import type { Problem } from "../kernel/problem.ts";
import { PROBLEMS, problem } from "../kernel/problem.ts";

const INTERNAL = problem("internal", "Something went wrong. The request id finds it in the log.");
const UNAVAILABLE = problem("unavailable", "The service cannot answer right now. Try again shortly.", {
  headers: ["retry-after", "1"],
});

/**
 * What an error is in public words. Whatever is not a refusal or a known outage is `internal`: its message, type and
 * stack stay here (ASVS V16.5.1).
 */
export function problemOf(error: unknown): Problem {
  if (error instanceof Refusal) return error.problem;
  if (error instanceof Outage) return UNAVAILABLE;
  return INTERNAL;
}

/** The one door out for refusals and failures: an RFC 9457 answer, to be sent on top of what is staged. */
export function toAnswer(refusal: Problem, requestId: string): Answer {
  const body = JSON.stringify({
    type: `urn:kyros:problem:${refusal.code}`,
    title: PROBLEMS[refusal.code].title,
    status: refusal.status,
    detail: refusal.detail,
    instance: requestId,
    code: refusal.code,
    ...(refusal.errors && { errors: refusal.errors }),
    ...refusal.extensions,
  });
  return {
    status: refusal.status,
    headers: [
      "content-type",
      "application/problem+json; charset=utf-8",
      "cache-control",
      "no-store",
      // RFC 9110 section 11.6.1: every 401 says how to authenticate; a problem may say it more precisely.
      ...(refusal.status === 401 && !refusal.headers?.includes("www-authenticate")
        ? ["www-authenticate", 'Bearer realm="kyros"']
        : []),
      ...(refusal.headers ?? []),
    ],
    body,
  };
}
