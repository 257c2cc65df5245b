import type { Problem } from "./problem.ts";
import { problem } from "./problem.ts";

/** The authentication context class of a session with a second factor: the name that OpenID providers use for it. */
export const MFA_ACR = "http://schemas.openid.net/pape/policies/2007/06/multi-factor";

const CHALLENGE = 'Bearer realm="kyros", error="insufficient_user_authentication"';

/** The caller signed in too long ago: `max_age` says how long ago would do, in seconds (RFC 9470 section 3). */
export function staleSignIn(freshWithinMs: number): Problem {
  return problem("step_up_required", "This needs a fresh sign-in. Sign in again and retry.", {
    headers: ["www-authenticate", `${CHALLENGE}, max_age="${Math.floor(freshWithinMs / 1000)}"`],
  });
}

/** The caller's session has shown no second factor; `acr_values` asks for one (RFC 9470 section 3). */
export const FACTOR_FIRST: Problem = problem(
  "step_up_required",
  "This needs a sign-in with a second factor. Sign in with one and retry.",
  { headers: ["www-authenticate", `${CHALLENGE}, acr_values="${MFA_ACR}"`] },
);
