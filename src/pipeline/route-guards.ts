import type { Awaitable } from "../kernel/awaitable.ts";
import { parseDuration } from "../kernel/duration.ts";
import type { Exchange } from "../kernel/exchange.ts";
import type { Authenticated, Role, UserPrincipal } from "../kernel/principal.ts";
import { isRole, ROLES } from "../kernel/principal.ts";
import type { Guarded, Rule } from "../kernel/rule.ts";
import { DEFAULT_RULE, PUBLIC_RULE } from "../kernel/rule.ts";
import type { RouteGuard } from "./gate.ts";

/** What a guard may ask on top; every field narrows but `csrf`, `limit`, `page` and `plainHttp`, which say what kind of route it is. */
export type RuleOptions = Partial<
  Pick<
    Rule,
    | "role"
    | "exactRole"
    | "scopes"
    | "callers"
    | "freshWithinMs"
    | "mfa"
    | "whileBehind"
    | "csrf"
    | "limit"
    | "page"
    | "plainHttp"
    | "policy"
  >
>;

/** What routes are guarded with, one line each. */
export interface RouteGuards {
  /** Anybody signed in, and any API key. */
  requireUser(options?: RuleOptions): RouteGuard<Guarded<Authenticated>>;
  /** A person: never an API key, whatever its scopes. For what manages credentials. */
  requirePerson(options?: RuleOptions): RouteGuard<Guarded<UserPrincipal>>;
  /** This role or one above it; throws `TypeError` where there is no such role, as does whatever else names one. */
  requireRole(role: Role, options?: RuleOptions): RouteGuard<Guarded<Authenticated>>;
  /** This role and no other. */
  requireExactRole(role: Role, options?: RuleOptions): RouteGuard<Guarded<Authenticated>>;
  /** All of these scopes, where the credential is limited by scopes; throws `TypeError` where there are none. */
  requireScope(scopes: string | readonly string[], options?: RuleOptions): RouteGuard<Guarded<Authenticated>>;
  /** A person who signed in no longer ago than a duration like `10m`; throws `TypeError` where it is none. */
  requireFresh(within: string, options?: RuleOptions): RouteGuard<Guarded<UserPrincipal>>;
  /** A person whose session was begun with a second factor too, or with a passkey that verified the user. */
  requireMfa(options?: RuleOptions): RouteGuard<Guarded<UserPrincipal>>;
  /** Whatever a function decides; anything but `true` is a no. */
  require(
    policy: (principal: Authenticated, exchange: Exchange) => Awaitable<boolean>,
    options?: RuleOptions,
  ): RouteGuard<Guarded<Authenticated>>;
  /** Signed in or not: the handler finds out. A credential that is shown must be valid. */
  optionalUser(options?: RuleOptions): RouteGuard<Rule & { readonly access: "optional" }>;
  /** Open to all; no credential is looked at. */
  allowAnonymous(options?: RuleOptions): RouteGuard<Rule & { readonly access: "public" }>;
}

export const routeGuards: RouteGuards = {
  requireUser: (options) => guard({ ...DEFAULT_RULE, ...options }),
  requirePerson: (options) =>
    guard({ ...DEFAULT_RULE, ...options, callers: "people" } as Guarded<UserPrincipal>),
  requireRole: (role, options) => guard({ ...DEFAULT_RULE, ...options, role: knownRole(role) }),
  requireExactRole: (exactRole, options) =>
    guard({ ...DEFAULT_RULE, ...options, exactRole: knownRole(exactRole) }),
  requireScope: (scopes, options) => guard({ ...DEFAULT_RULE, ...options, scopes: someScopes(scopes) }),
  requireFresh: (within, options) =>
    routeGuards.requirePerson({ ...options, freshWithinMs: freshWithinMsOf(within) }),
  requireMfa: (options) => routeGuards.requirePerson({ ...options, mfa: true }),
  require: (policy, options) => guard({ ...DEFAULT_RULE, ...options, policy }),
  optionalUser: (options) => guard({ ...DEFAULT_RULE, ...options, access: "optional" as const }),
  allowAnonymous: (options) => guard({ ...PUBLIC_RULE, ...options, access: "public" as const }),
};

function freshWithinMsOf(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new TypeError('requireFresh: give a duration like "10m"');
  return ms;
}

/** To a program that no compiler has checked, a misspelt role would otherwise be one that everybody has. */
function knownRole(role: Role): Role {
  if (!isRole(role)) throw new TypeError(`a guard's role is one of ${ROLES.join(", ")}`);
  return role;
}

function someScopes(scopes: string | readonly string[]): readonly string[] {
  const list = typeof scopes === "string" ? [scopes] : scopes;
  if (!Array.isArray(list) || list.length === 0) throw new TypeError("requireScope: give a scope");
  return list;
}

function guard<R extends Rule>(rule: R): RouteGuard<R> {
  if (rule.role !== undefined) knownRole(rule.role);
  if (rule.exactRole !== undefined) knownRole(rule.exactRole);
  return Object.freeze({ config: Object.freeze({ kyros: Object.freeze(rule) }) });
}
