import type { GateNeed, GateRule } from "../../guards/gate-rule.ts";
import type { Exchange } from "../../kernel/exchange.ts";
import type { Rule } from "../../kernel/rule.ts";
import { DEFAULT_RULE, PUBLIC_RULE } from "../../kernel/rule.ts";
import { loosePath } from "../../net/plain-path.ts";
import { refusing } from "./refusing.ts";

/** The rule of a request by host (without port), method and plain path; `undefined` where it depends on the reading. */
export type GatePolicy = (host: string, method: string, path: string) => Rule | undefined;

interface Entry {
  readonly declared: GateRule;
  readonly loose: string;
  readonly rule: Rule;
}

/**
 * The declared rules, the most specific first: a host's own before those of every host, an exact path before prefixes,
 * a longer path before a shorter one, some methods before all. Where none fits, a signed-in user is asked for.
 */
export function createGatePolicy(
  declared: readonly GateRule[],
  signInPage: ((exchange: Exchange) => string | undefined) | undefined,
): GatePolicy {
  const page = { page: true, ...(signInPage && { signInPage }) };
  const byDefault: Rule = Object.freeze({ ...DEFAULT_RULE, ...page });
  const entries = declared.toSorted(bySpecificity).map(
    (one): Entry => ({
      declared: one,
      loose: loosePath(one.path),
      rule: Object.freeze({ ...ruleOf(one.need), ...page }),
    }),
  );

  function choose(host: string, method: string, path: string, isLoose: boolean): Rule {
    const fitting = entries.find(
      ({ declared, loose }) =>
        (declared.host === undefined || declared.host === host) &&
        (declared.methods.length === 0 || takesMethod(declared.methods, method)) &&
        takesPath(isLoose ? loose : declared.path, path, declared.exact),
    );
    return fitting?.rule ?? byDefault;
  }

  return (host, method, path) => {
    const rule = choose(host, method, path, false);
    // Another rule in the loosest reading: which one holds is up to the server behind, so none does.
    return choose(host, method, loosePath(path), true) === rule ? rule : undefined;
  };
}

function bySpecificity(a: GateRule, b: GateRule): number {
  return (
    Number(b.host !== undefined) - Number(a.host !== undefined) ||
    Number(b.exact) - Number(a.exact) ||
    b.path.length - a.path.length ||
    Number(b.methods.length > 0) - Number(a.methods.length > 0)
  );
}

/** HEAD is a GET without the body (RFC 9110 section 9.3.2). */
function takesMethod(methods: readonly string[], method: string): boolean {
  return methods.includes(method) || (method === "HEAD" && methods.includes("GET"));
}

function takesPath(rulePath: string, path: string, exact: boolean): boolean {
  if (rulePath === "/" && !exact) return true;
  if (!path.startsWith(rulePath)) return false;
  const rest = path.slice(rulePath.length);
  return rest === "" || (exact ? rest === "/" && rulePath !== "/" : rest.startsWith("/"));
}

function ruleOf({ access, role, scopes, callers }: GateNeed): Rule {
  switch (access) {
    case "nobody":
      return refusing("nobody may pass here");
    case "public":
      // Whether another site's page may post there is the service's own question: no credential of ours is used.
      return { ...PUBLIC_RULE, csrf: "exempt" };
    case "optional":
      return { ...DEFAULT_RULE, access };
    case "user":
      return {
        ...DEFAULT_RULE,
        ...(role && { role }),
        ...(scopes && { scopes }),
        ...(callers && { callers }),
      };
  }
}
