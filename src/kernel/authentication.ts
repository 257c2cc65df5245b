import type { Authenticated } from "./principal.ts";
import type { ProblemCode } from "./problem.ts";

/** Why a credential was refused: public code, and private words for the log that never reach the caller. */
export interface Reason {
  readonly code: Extract<
    ProblemCode,
    "token_invalid" | "token_expired" | "token_revoked" | "unauthenticated"
  >;
  readonly cause: string;
  readonly credential: "access_token" | "session" | "api_key" | "unknown";
}

/**
 * What an authenticator says of a request. *Absent*, *rejected* and *authenticated* are three answers; an outage is a
 * throw, so that a dependency that is down can never pass for either.
 */
export type AuthOutcome =
  | { readonly kind: "absent" }
  | { readonly kind: "rejected"; readonly reason: Reason }
  | { readonly kind: "authenticated"; readonly principal: Authenticated };

export const ABSENT: AuthOutcome = Object.freeze({ kind: "absent" });

/** A credential that was shown and refused. */
export function rejected(
  credential: Reason["credential"],
  cause: string,
  code: Reason["code"] = "token_invalid",
): AuthOutcome {
  return { kind: "rejected", reason: { code, cause, credential } };
}
