import type { Role } from "../kernel/principal.ts";
import { ROLES } from "../kernel/principal.ts";
import { hostname, parseHost } from "../net/host.ts";
import { loosePath, readPlainPath } from "../net/plain-path.ts";
import { isScope } from "./scope.ts";

/** Who may pass the gate under a rule. */
export interface GateNeed {
  readonly access: "public" | "optional" | "user" | "nobody";
  readonly role?: Role;
  readonly scopes?: readonly string[];
  readonly callers?: "people";
}

/** What the gate before another service asks of the requests under a path. */
export interface GateRule {
  /** Upper case; every method where it is empty. */
  readonly methods: readonly string[];
  /** Every host where it is absent; no port. */
  readonly host?: string;
  /** Matched by whole segments: `/jobs` is `/jobs`, `/jobs/` and what is below, not `/jobs2`. */
  readonly path: string;
  /** The path alone, and nothing below it. */
  readonly exact: boolean;
  readonly need: GateNeed;
}

const METHODS = /^[A-Z]+(?:\+[A-Z]+)*$/;
const PLAIN_PATH = /^\/[A-Za-z0-9._~!$&'()*+:@/-]*$/;

/**
 * Reads a rule like `/public public`, `GET+POST /jobs scope:jobs:read`, `=/ public` or `app.example/admin role:admin`:
 * methods where not all, a path with a host before it where not any, and what is needed. A fault is the rest of a
 * sentence, and never repeats the text.
 */
export function parseGateRule(text: string): GateRule | { readonly fault: string } {
  const words = text.split(" ").filter((word) => word !== "");
  const methods = METHODS.test(words[0] ?? "") ? words.shift()!.split("+") : [];
  const place = words.shift();
  if (place === undefined) return { fault: "names no path" };
  const exact = place.startsWith("=");
  const slash = place.indexOf("/");
  if (slash < 0) return { fault: "names no path, which begins with `/`" };
  const host = place.slice(exact ? 1 : 0, slash);
  if (host !== "" && (parseHost(host) !== host || hostname(host) !== host || host.endsWith("."))) {
    return { fault: "has a host that is no plain name in lower case, without a port" };
  }
  const path = withoutLastSlash(place.slice(slash));
  if (!isPlain(path)) return { fault: "has a path that is not plain: no dot segments, `//`, `%` or `;`" };
  const need = parseNeed(words);
  if ("fault" in need) return need;
  return { methods, ...(host !== "" && { host }), path, exact, need };
}

/** The rule in its own notation. */
export function formatGateRule({ methods, host = "", path, exact, need }: GateRule): string {
  const needs = [
    ...(need.access !== "user" || (!need.role && !need.scopes && !need.callers) ? [need.access] : []),
    ...(need.callers ? [need.callers] : []),
    ...(need.role ? [`role:${need.role}`] : []),
    ...(need.scopes ?? []).map((scope) => `scope:${scope}`),
  ];
  const place = `${exact ? "=" : ""}${host}${path}`;
  return [...(methods.length > 0 ? [methods.join("+")] : []), place, ...needs].join(" ");
}

function isPlain(path: string): boolean {
  if (!PLAIN_PATH.test(path) || path.includes("//")) return false;
  const reading = readPlainPath(path);
  // A rule that the loosest reading would not find again could be passed by in another spelling.
  return "path" in reading && loosePath(path) === path.toLowerCase();
}

function withoutLastSlash(path: string): string {
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}

function parseNeed(words: readonly string[]): GateNeed | { readonly fault: string } {
  if (words.length === 0) return { fault: "does not say who may pass" };
  const [first = ""] = words;
  if (first === "public" || first === "optional" || first === "nobody" || first === "user") {
    return words.length === 1 ? { access: first } : { fault: `asks for more beside \`${first}\`` };
  }
  let role: Role | undefined;
  let isForPeople = false;
  const scopes: string[] = [];
  for (const word of words) {
    const named = ROLES.find((known) => word === `role:${known}`);
    if (word === "people" && !isForPeople) isForPeople = true;
    else if (named !== undefined && role === undefined) role = named;
    else if (word.startsWith("scope:") && isScope(word.slice(6))) scopes.push(word.slice(6));
    else return { fault: "asks for what is not known here" };
  }
  return {
    access: "user",
    ...(role && { role }),
    ...(scopes.length > 0 && { scopes }),
    ...(isForPeople && { callers: "people" as const }),
  };
}
