import { isPending } from "../kernel/awaitable.ts";
import { roleIncludes } from "../kernel/principal.ts";
import type { Rule } from "../kernel/rule.ts";

const ACCESS: readonly Rule["access"][] = ["public", "optional", "user"];
const CSRF: readonly Rule["csrf"][] = ["exempt", "origin", "token"];

/** Every field of a rule has its place here: one that is forgotten does not compile, as it would open a door. */
type Merged = { readonly [Field in keyof Required<Rule>]: Rule[Field] | undefined };

/**
 * A rule that asks for what either asks for, as hosts mean it whose guards add up along a path. What kind of route it
 * is (`limit`, `page`, `plainHttp`, `signInPage`), the inner one says. A role of one and a scope of the other are, to an
 * API key, a route for that role which names a scope.
 */
export function mergeRules(outer: Rule, inner: Rule): Rule {
  const contradict = inner.exactRole && outer.exactRole && inner.exactRole !== outer.exactRole;
  const scopes = [...new Set([...(outer.scopes ?? []), ...(inner.scopes ?? [])])];
  const freshWithinMs = Math.min(outer.freshWithinMs ?? Infinity, inner.freshWithinMs ?? Infinity);
  const merged: Merged = {
    access: stricter(ACCESS, outer.access, inner.access),
    csrf: stricter(CSRF, outer.csrf, inner.csrf),
    limit: inner.limit,
    page: inner.page,
    plainHttp: inner.plainHttp,
    signInPage: inner.signInPage,
    refusal: outer.refusal ?? inner.refusal,
    role: stricterRole(outer.role, inner.role),
    exactRole: inner.exactRole ?? outer.exactRole,
    scopes: scopes.length > 0 ? scopes : undefined,
    callers: outer.callers === "people" || inner.callers === "people" ? "people" : undefined,
    freshWithinMs: freshWithinMs === Infinity ? undefined : freshWithinMs,
    mfa: outer.mfa ?? inner.mfa,
    whileBehind: outer.whileBehind ?? inner.whileBehind,
    policy: contradict ? () => false : bothPolicies(outer.policy, inner.policy),
  };
  const asked = Object.entries(merged).filter(([, value]) => value !== undefined);
  return Object.freeze(Object.fromEntries(asked)) as unknown as Rule;
}

function stricter<T>(order: readonly T[], one: T, other: T): T {
  return order[Math.max(order.indexOf(one), order.indexOf(other))]!;
}

function stricterRole(one: Rule["role"], other: Rule["role"]): Rule["role"] {
  if (one === undefined || other === undefined) return one ?? other;
  return roleIncludes(one, other) ? one : other;
}

function bothPolicies(one: Rule["policy"], other: Rule["policy"]): Rule["policy"] {
  if (one === undefined || other === undefined) return one ?? other;
  return (principal, exchange) => {
    const first = one(principal, exchange);
    if (isPending(first)) return first.then((allowed) => allowed === true && other(principal, exchange));
    return first === true && other(principal, exchange);
  };
}
