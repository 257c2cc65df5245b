import type { Refreshed } from "../identity/tokens/refresh-tokens.ts";
import type { Problem } from "../kernel/problem.ts";
import { problem } from "../kernel/problem.ts";

const INVALID = problem("token_invalid", "The refresh token is not valid. Sign in again.");
const EXPIRED = problem("token_expired", "The refresh token has expired. Sign in again.");
const REVOKED = problem("token_revoked", "The session has ended. Sign in again.");

/** A refresh that was not granted, in public words. */
export function refreshRefusal(
  refused: Exclude<Refreshed, { kind: "refreshed" }> | { kind: "ended" },
): Problem {
  if (refused.kind !== "refused") return REVOKED;
  switch (refused.cause) {
    case "unknown":
      return INVALID;
    case "expired":
      return EXPIRED;
    case "session_ended":
      return REVOKED;
  }
}
