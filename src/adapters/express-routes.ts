import type { Rule } from "../kernel/rule.ts";
import { DEFAULT_RULE } from "../kernel/rule.ts";
import { markedRule } from "./met-guards.ts";

type Handle = ((...parameters: never[]) => unknown) & Partial<Stack>;

/** What of Express's router is looked at: layers in their order, each a route or something that was `use`d. */
interface Layer {
  readonly route?: Route;
  readonly handle: Handle;
  match(path: string): false | { readonly path: string };
}

interface Route {
  readonly path: unknown;
  readonly methods: Readonly<Record<string, boolean>>;
  readonly stack: readonly { readonly method?: string; readonly handle: object }[];
}

export interface Stack {
  readonly stack: readonly Layer[];
}

/**
 * Who would answer a request: a route; something `use`d that may or may not, `guarded` where a guard is before it and
 * `unguarded` where it stands under a path of its own with none; or nothing.
 */
export type Taker = Route | "perhaps" | "guarded" | "unguarded" | "nothing";

/** An error handler by its parameters, which a request only meets after a failure. */
const ERROR_HANDLER_LENGTH = 4;
/** What Express calls the handler of an app that is mounted in another one. */
const MOUNTED_APP = "mounted_app";

/** The guards on the way to a route. */
interface Met {
  /** Their rules, outermost first. */
  readonly rules: Rule[];
  /** How many of them guard what comes next: those inside a router that was left again do not. */
  inForce: number;
}

/**
 * Finds out by Express's own matching which route a request is for, before anything is called, and which rules it is
 * going to meet, outermost first. A router that was left again opens nothing outside of it, though its guards are met
 * on the way. `method` is in lower case; the search begins at layer number `from`.
 */
export function findTaker(
  stack: Stack,
  method: string,
  path: string,
  from: number,
): { readonly taker: Taker; readonly met: readonly Rule[] } {
  const met: Met = { rules: [], inForce: 0 };
  const taker = search(stack, method, path, met, from);
  if (taker === "unguarded") met.rules.unshift(DEFAULT_RULE);
  else if (taker !== "guarded" && met.inForce === 0) met.rules.push(DEFAULT_RULE);
  return { taker, met: met.rules };
}

function search({ stack }: Stack, method: string, path: string, met: Met, from = 0): Taker {
  let taker: Taker = "nothing";
  for (let i = from; i < stack.length; i++) {
    const layer = stack[i]!;
    const matched = matchedPath(layer, path);
    if (matched === undefined) continue;
    const { route, handle } = layer;
    if (route !== undefined) {
      if (!takesMethod(route, method)) continue;
      noteRules(route, method, met);
      return route;
    }
    const within = findWithin(handle, matched, method, path, met);
    if (typeof within === "object") return within;
    if (within === "nothing" || taker === "unguarded") continue;
    if (within !== "perhaps") taker = within;
    else if (met.inForce > 0) taker = "guarded";
    else if (matched !== "") taker = "unguarded";
    else if (taker === "nothing") taker = "perhaps";
  }
  return taker;
}

function findWithin(handle: Handle, matched: string, method: string, path: string, met: Met): Taker {
  const rule = markedRule(handle);
  if (rule !== undefined) {
    note(met, rule);
    return "nothing";
  }
  // It answers whatever comes, as a rule, whatever comes after it.
  if (handle.name === MOUNTED_APP && met.inForce === 0) note(met, DEFAULT_RULE);
  if (handle.stack === undefined) return handle.length === ERROR_HANDLER_LENGTH ? "nothing" : "perhaps";
  // As Express does it: what is mounted sees the rest of the path, which begins with a slash.
  const rest = path.slice(matched.length);
  const { inForce } = met;
  const taker = search(handle as Stack, method, rest.startsWith("/") ? rest : `/${rest}`, met);
  if (typeof taker !== "object") met.inForce = inForce;
  return taker;
}

function matchedPath(layer: Layer, path: string): string | undefined {
  try {
    const match = layer.match(path);
    if (match === false) return undefined;
    if (layer.route !== undefined) return match.path;
    // Express takes a prefix for one only where it ends at a slash.
    const next = path[match.path.length];
    const isPrefix = path.startsWith(match.path) && (match.path === "" || next === undefined || next === "/");
    return isPrefix ? match.path : undefined;
  } catch (error) {
    // Express tells of a path that it cannot decode when it gets there itself.
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** HEAD is taken by the handlers of GET where it has none of its own. */
function takesMethod({ methods }: Route, method: string): boolean {
  return methods["_all"] === true || methods[handledAs(methods, method)] === true;
}

function handledAs(methods: Route["methods"], method: string): string {
  return method === "head" && !methods["head"] ? "get" : method;
}

function note(met: Met, rule: Rule): void {
  met.rules.push(rule);
  met.inForce += 1;
}

function noteRules({ stack, methods }: Route, method: string, met: Met): void {
  const handled = handledAs(methods, method);
  for (const layer of stack) {
    if (layer.method !== undefined && layer.method !== handled) continue;
    const rule = markedRule(layer.handle);
    if (rule !== undefined) note(met, rule);
  }
}
