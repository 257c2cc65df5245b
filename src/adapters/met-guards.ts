import type { Rule } from "../kernel/rule.ts";
import { DEFAULT_RULE } from "../kernel/rule.ts";
import type { RouteGuard } from "../pipeline/gate.ts";
import { mergeRules } from "../pipeline/merge-rules.ts";

const GUARD = Symbol("kyros.guard");

/** Marks what a framework calls for a guard, so that the guard is found before it is called. */
export function markGuard<T extends object>(handler: T, guard: RouteGuard): T {
  return Object.assign(handler, { [GUARD]: guard.config.kyros });
}

/** The rule of a handler that was marked; `undefined` for any other. */
export function markedRule(handler: object): Rule | undefined {
  return (handler as { [GUARD]?: Rule })[GUARD];
}

/** Rules that were put together, by the outer and the inner one; and of what each is made. */
const merged = new WeakMap<Rule, WeakMap<Rule, Rule>>();
const partsOf = new WeakMap<Rule, ReadonlySet<Rule>>();

/** The one rule of all guards that a request meets, outermost first; without any, a signed-in user is asked for. */
export function ruleOfMet(met: readonly Rule[]): Rule {
  let rule = met[0];
  if (rule === undefined) return DEFAULT_RULE;
  for (let i = 1; i < met.length; i++) rule = both(rule, met[i]!);
  return rule;
}

/** Whether whoever was judged by `judged` was judged by `rule` too. */
export function includesRule(judged: Rule, rule: Rule): boolean {
  return judged === rule || partsOf.get(judged)?.has(rule) === true;
}

/** The one rule of an outer and an inner one, made once. */
export function both(outer: Rule, inner: Rule): Rule {
  if (includesRule(outer, inner)) return outer;
  const inners = merged.get(outer) ?? new WeakMap<Rule, Rule>();
  merged.set(outer, inners);
  let rule = inners.get(inner);
  if (rule === undefined) {
    rule = mergeRules(outer, inner);
    inners.set(inner, rule);
    partsOf.set(rule, new Set([...(partsOf.get(outer) ?? [outer]), ...(partsOf.get(inner) ?? [inner])]));
  }
  return rule;
}
