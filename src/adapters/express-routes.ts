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
 * Who would answer a request: a route; something `use`d that may or may not, `unguarded` where it stands under a path
 * of its own with no guard before it; or nothing.
 */
export type Taker = Route | "perhaps" | "unguarded" | "nothing";

/** An error handler by its parameters, which a request only meets after a failure. */
const ERROR_HANDLER_LENGTH = 4;
/** What Express calls the handler of an app that is mounted in another one. */
const MOUNTED_APP = "mounted_app";

/**
 * Finds out by Express's own matching which route a request is for, before anything is called, and notes the rules of
 * the guards on the way there, outermost first. `method` is in lower case; the search begins at layer number `from`.
 */
export function findTaker({ stack }: Stack, method: string, path: string, met: Rule[], from = 0): Taker {
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
    taker = within === "perhaps" && met.length === 0 && matched !== "" ? "unguarded" : within;
  }
  return taker;
}

function findWithin(handle: Handle, matched: string, method: string, path: string, met: Rule[]): Taker {
  const rule = markedRule(handle);
  if (rule !== undefined) {
    met.push(rule);
    return "nothing";
  }
  // It answers whatever comes, as a rule, whatever comes after it.
  if (handle.name === MOUNTED_APP && met.length === 0) met.push(DEFAULT_RULE);
  if (handle.stack === undefined) return handle.length === ERROR_HANDLER_LENGTH ? "nothing" : "perhaps";
  // As Express does it: what is mounted sees the rest of the path, which begins with a slash.
  const rest = path.slice(matched.length);
  return findTaker(handle as Stack, method, rest.startsWith("/") ? rest : `/${rest}`, met);
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

function noteRules({ stack, methods }: Route, method: string, met: Rule[]): void {
  const handled = handledAs(methods, method);
  for (const layer of stack) {
    if (layer.method !== undefined && layer.method !== handled) continue;
    const rule = markedRule(layer.handle);
    if (rule !== undefined) met.push(rule);
  }
}
