/**
 * The catalog of refusals in public words (RFC 9457). A code is stable; `title` belongs to the code; `detail` says
 * what the caller can do and never whether an account exists or which role would have done.
 * Every code has an entry in docs/errors.md; a test fails where one is missing.
 */
export const PROBLEMS = {
  https_required: { status: 400, title: "HTTPS is required" },
  rate_limited: { status: 429, title: "Too many requests" },
  csrf_invalid: { status: 403, title: "The CSRF check failed" },
  unauthenticated: { status: 401, title: "Authentication is required" },
  token_invalid: { status: 401, title: "The credential is not valid" },
  token_expired: { status: 401, title: "The token has expired" },
  token_revoked: { status: 401, title: "The token has been revoked" },
  invalid_credentials: { status: 401, title: "The credentials are not valid" },
  mfa_required: { status: 401, title: "A second factor is required" },
  mfa_invalid: { status: 401, title: "The second factor is not valid" },
  step_up_required: { status: 401, title: "A fresh sign-in is required" },
  insufficient_role: { status: 403, title: "Not allowed" },
  insufficient_scope: { status: 403, title: "The credential's scope does not allow this" },
  validation_failed: { status: 400, title: "The request is not valid" },
  not_found: { status: 404, title: "Not found" },
  method_not_allowed: { status: 405, title: "The method is not allowed here" },
  conflict: { status: 409, title: "Conflict" },
  payload_too_large: { status: 413, title: "The request is too large" },
  unsupported_media_type: { status: 415, title: "The content type is not supported here" },
  overloaded: { status: 503, title: "The service is overloaded" },
  unavailable: { status: 503, title: "The service is not available" },
  internal: { status: 500, title: "Something went wrong" },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

/** One faulty field of a request: a dotted path, and what is wrong with it. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

export interface Problem {
  readonly code: ProblemCode;
  readonly status: number;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
  /** Further members of the answer (RFC 9457 section 3.2), such as `mfa_token`. */
  readonly extensions?: Readonly<Record<string, unknown>>;
  /** Headers that belong to this refusal, flat: name, value, name, value. */
  readonly headers?: readonly string[];
}

export interface ProblemParts {
  readonly status?: number;
  readonly errors?: readonly FieldError[];
  readonly extensions?: Readonly<Record<string, unknown>>;
  readonly headers?: readonly string[];
}

/** A refusal of the catalog; `detail` is one line its reader can act on. */
export function problem(code: ProblemCode, detail: string, parts: ProblemParts = {}): Problem {
  return { code, status: PROBLEMS[code].status, detail, ...parts };
}
