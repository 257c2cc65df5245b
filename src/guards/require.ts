import type { Reason } from "../kernel/authentication.ts";
import { isPending } from "../kernel/awaitable.ts";
import type { Exchange } from "../kernel/exchange.ts";
import { Outage } from "../kernel/failure.ts";
import type { Decision, Guard } from "../kernel/guard.ts";
import { deny, PASS } from "../kernel/guard.ts";
import type { Authenticated } from "../kernel/principal.ts";
import { roleIncludes } from "../kernel/principal.ts";
import type { Problem } from "../kernel/problem.ts";
import { problem } from "../kernel/problem.ts";
import type { Rule } from "../kernel/rule.ts";
import { FACTOR_FIRST, staleSignIn } from "../kernel/step-up.ts";
import { isNavigation } from "./navigation.ts";
import { scopesCover } from "./scope.ts";

const REALM = 'Bearer realm="kyros"';
const UNAUTHENTICATED = problem("unauthenticated", "Sign in, or send a valid credential.", {
  headers: ["www-authenticate", REALM],
});
const INVALID = problem("token_invalid", "The credential is not valid. Sign in again.", {
  headers: [
    "www-authenticate",
    `${REALM}, error="invalid_token", error_description="The token is not valid"`,
  ],
});
const EXPIRED = problem("token_expired", "The token has expired. Refresh it or sign in again.", {
  headers: ["www-authenticate", `${REALM}, error="invalid_token", error_description="The token has expired"`],
});
const REVOKED = problem("token_revoked", "The token has been revoked. Sign in again.", {
  headers: [
    "www-authenticate",
    `${REALM}, error="invalid_token", error_description="The token has been revoked"`,
  ],
});
// None of these names the role or scope that would do: that is nobody's business but the operator's.
const WRONG_ROLE = problem("insufficient_role", "You are not allowed to do this.");
const WRONG_SCOPE = problem("insufficient_scope", "This credential is not allowed to do this.", {
  headers: ["www-authenticate", `${REALM}, error="insufficient_scope"`],
});

const REJECTIONS: Readonly<Record<Reason["code"], Problem>> = {
  unauthenticated: UNAUTHENTICATED,
  token_invalid: INVALID,
  token_expired: EXPIRED,
  token_revoked: REVOKED,
};

/** The refusal of a credential, in public words. */
export function refusalOf(code: Reason["code"]): Problem {
  return REJECTIONS[code];
}

export interface RequireOptions {
  /** Whether this instance knows what the others have changed until a moment ago. */
  readonly isCurrent: () => boolean;
}

/**
 * Decides whether whoever is asking may have what the matched route's rule guards (ASVS V8.2.1, V8.3.1). Throws an
 * `Outage` where the rule asks for an instance that is current, and this one is not.
 */
export function createRequire({ isCurrent }: RequireOptions): Guard {
  return {
    name: "require",
    check(exchange) {
      const { rule, outcome } = exchange;
      if (rule.whileBehind === "refuse" && !isCurrent()) {
        throw new Outage("database", { cause: new Error("what other instances change is not known here") });
      }
      if (rule.access === "public") return rule.refusal ?? PASS;
      if (outcome.kind === "authenticated") return judge(rule, outcome.principal, exchange);
      if (outcome.kind === "absent") {
        return rule.access === "optional" ? PASS : (signInPage(exchange) ?? deny(UNAUTHENTICATED));
      }
      // A stale cookie is sent by the browser, not by anybody's decision: where a sign-in is optional it is nobody.
      const isStale = outcome.reason.credential === "session";
      if (rule.access === "optional" && isStale) return PASS;
      return (
        (isStale ? signInPage(exchange) : undefined) ??
        deny(REJECTIONS[outcome.reason.code], outcome.reason.cause)
      );
    },
  };
}

/** Nobody chose to come without a credential who followed a link: a browser is shown where to sign in. */
function signInPage(exchange: Exchange): Decision | undefined {
  const { rule, view } = exchange;
  if (rule.signInPage === undefined || view.method !== "GET" || !isNavigation(view)) return undefined;
  const location = rule.signInPage(exchange);
  if (location === undefined) return undefined;
  const headers = ["location", location, "cache-control", "no-store"];
  return { kind: "answer", answer: { status: 302, headers, body: "" } };
}

function judge(rule: Rule, principal: Authenticated, exchange: Exchange): Decision | Promise<Decision> {
  const { role, exactRole, scopes, policy, freshWithinMs } = rule;
  const isService = principal.kind === "service";
  if (isService && (rule.callers === "people" || rule.mfa)) return deny(WRONG_SCOPE, "for people only");
  if (role !== undefined && !roleIncludes(principal.user.role, role)) return deny(WRONG_ROLE, "role too low");
  if (exactRole !== undefined && principal.user.role !== exactRole) return deny(WRONG_ROLE, "another role");
  // An owner's rank is not a key's: above `user`, a key needs a scope that its route names.
  if (isService && scopes === undefined && (role ?? exactRole ?? "user") !== "user") {
    return deny(WRONG_SCOPE, "route names no scope for keys");
  }
  if (scopes !== undefined && principal.scopes !== undefined && !scopesCover(principal.scopes, scopes)) {
    return deny(WRONG_SCOPE, "scope missing");
  }
  if (freshWithinMs !== undefined && exchange.nowMs - principal.authenticatedAtMs > freshWithinMs) {
    return deny(staleSignIn(freshWithinMs), "sign-in too long ago");
  }
  if (rule.mfa && !isService && !principal.mfa) return deny(FACTOR_FIRST, "no second factor proved");
  if (policy === undefined) return PASS;
  const allowed = policy(principal, exchange);
  return isPending(allowed) ? allowed.then(ofPolicy) : ofPolicy(allowed);
}

function ofPolicy(allowed: boolean): Decision {
  // Anything but `true` is a no: a policy that forgot to answer must not open the door.
  return allowed === true ? PASS : deny(WRONG_ROLE, "policy refused");
}
