import type { GateRule } from "../../guards/gate-rule.ts";
import type { Client, Exchange, RequestView } from "../../kernel/exchange.ts";
import type { Rule } from "../../kernel/rule.ts";
import { DEFAULT_RULE } from "../../kernel/rule.ts";
import type { CidrSet } from "../../net/cidr.ts";
import { hostname } from "../../net/host.ts";
import { readPlainPath } from "../../net/plain-path.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import { createClientResolver } from "../../pipeline/resolve-client.ts";
import { readEnvoy } from "./envoy.ts";
import { ForwardedView } from "./forwarded-view.ts";
import { createGatePolicy } from "./gate-policy.ts";
import { readNginx } from "./nginx.ts";
import type { OriginalRequest } from "./original-request.ts";
import { refusing } from "./refusing.ts";
import { createSignInPage } from "./sign-in-page.ts";
import { readXForwarded } from "./x-forwarded.ts";

export interface ForwardAuthOptions {
  readonly pipeline: Pipeline;
  readonly trustedProxies: CidrSet | undefined;
  readonly rules: readonly GateRule[];
  /** A path or a URL; without it a browser is refused as everybody is. */
  readonly loginUrl: string | undefined;
  /** Origins that the page of another host may send a browser back to. */
  readonly trustedOrigins: readonly string[];
}

export interface ForwardAuth {
  /** The exchange for the request that a proxy asks about, under the gate's rule for it. */
  open(view: RequestView): Exchange;
}

/** Whoever has a credential of their own; who asks directly is told at once, and no page is shown. */
const DIRECT: Rule = Object.freeze({ ...DEFAULT_RULE, csrf: "exempt" });
/** By any of these, something else than the request itself may be asked about, or be answered for. */
const TELLING = [
  ...["method", "uri", "host", "proto", "for"].map((of) => `x-forwarded-${of}`),
  ...["method", "uri", "url"].map((of) => `x-original-${of}`),
  ...["forwarded", "via", "x-real-ip", "cookie"],
];

/** The pattern under which all of this is counted. */
const ROUTE = "/forward-auth";
const DIALECTS = [readXForwarded, readNginx, readEnvoy];

const STRANGER = refusing(
  "peer is no trusted proxy",
  "Only a proxy that KYROS_TRUST_PROXY names may ask here.",
);
const UNTOLD = refusing(
  "proxy tells of no request",
  "Tell of the original request as docs/forward-auth.md says.",
);
const CONTRADICTION = refusing("proxies tell of the request in several ways");
const UNADDRESSED = refusing("proxy does not tell the client's address");
const HOSTLESS = refusing("no valid host");
const OTHER_METHOD = refusing(
  "ambiguous method",
  "The method can be read in more than one way; send it in capitals, and no other one in a header.",
);
const OTHER_PROTOCOL = refusing(
  "upgrade to another protocol",
  "Only WebSocket passes here as another protocol; send the request without an upgrade.",
);
/** What services and frameworks take for the method, if they take any header for it. */
const METHOD_OVERRIDES = ["x-http-method-override", "x-http-method", "x-method-override"];

/**
 * The gate before a service in any language: a proxy asks about each request, and is told by the same guards as those
 * of every route. Only a trusted proxy is listened to; what a request is, is read in exactly one way or not at all.
 */
export function createForwardAuth(options: ForwardAuthOptions): ForwardAuth {
  const { pipeline, rules, loginUrl, trustedOrigins } = options;
  const resolveClient = createClientResolver(options);
  const policy = createGatePolicy(
    rules,
    loginUrl === undefined ? undefined : createSignInPage(loginUrl, trustedOrigins),
  );
  const needsHost = rules.some((rule) => rule.host !== undefined);
  const ambiguous = rememberRefusals();

  function ruleFor(view: RequestView, client: Client): Rule {
    // All of these proxies write it; without it, whatever else names the client may be the client's own word.
    if (view.headerLines("x-forwarded-for").length === 0) return UNADDRESSED;
    const hosts = view.headerLines("x-forwarded-host");
    const host = hosts.length === 1 ? hostname(client.host).replace(/\.$/, "") : "";
    // A proxy that names none is heard where no rule depends on it; a name that is none is nobody's.
    if (host === "" && (hosts.length > 0 || needsHost)) return HOSTLESS;
    const reading = readPlainPath(view.target);
    if ("ambiguous" in reading) return ambiguous(reading.ambiguous);
    if (view.method !== view.method.toUpperCase()) return OTHER_METHOD;
    if (changesProtocol(view)) return OTHER_PROTOCOL;
    const rule = policy(host, view.method, reading.path);
    if (rule === undefined) return ambiguous("letter case or spelling");
    const isOverridden = METHOD_OVERRIDES.flatMap((name) => view.headerLines(name)).some(
      (other) => policy(host, other.trim().toUpperCase(), reading.path) !== rule,
    );
    return isOverridden ? OTHER_METHOD : rule;
  }

  return {
    open(view) {
      if (rules.length === 0 && isDirect(view)) return pipeline.open(view, DIRECT, ROUTE);
      if (!resolveClient(view).viaTrustedProxy) return pipeline.open(view, STRANGER, ROUTE);
      const original = readOriginal(view);
      if ("refusal" in original) return pipeline.open(view, original.refusal, ROUTE);
      const forwarded = new ForwardedView(view, original);
      return pipeline.open(forwarded, ruleFor(forwarded, resolveClient(forwarded)), ROUTE);
    },
  };
}

/**
 * A request about nothing but itself, as people try a credential with: no proxy tells of another one, and no cookie
 * could be riding on it.
 */
function isDirect(view: RequestView): boolean {
  if (view.method !== "GET" || view.path !== ROUTE) return false;
  return TELLING.every((name) => view.headerLines(name).length === 0);
}

/** What the proxy tells, in exactly one of the ways that are known; a second one may be the client's. */
function readOriginal(view: RequestView): OriginalRequest | { readonly refusal: Rule } {
  let original: OriginalRequest | undefined;
  for (const read of DIALECTS) {
    const told = read(view);
    if (told === undefined) continue;
    if (original !== undefined) return { refusal: CONTRADICTION };
    if ("fault" in told) return { refusal: refusing(told.fault) };
    original = told;
  }
  if (original === undefined) return { refusal: UNTOLD };
  return isContradicted(view, original) ? { refusal: CONTRADICTION } : original;
}

/** Scheme and host are told in two ways, and not alike. */
function isContradicted(view: RequestView, { scheme, host }: OriginalRequest): boolean {
  const other = (name: string, value: string | undefined): boolean =>
    value !== undefined && view.headerLines(name).some((line) => line !== value);
  return other("x-forwarded-proto", scheme) || other("x-forwarded-host", host);
}

/** Behind an accepted upgrade to HTTP/2 in clear text, no request would be asked about any more. */
function changesProtocol(view: RequestView): boolean {
  return (
    view.headerLines("http2-settings").length > 0 ||
    view.headerLines("upgrade").some((line) => line.trim().toLowerCase() !== "websocket")
  );
}

function rememberRefusals(): (reason: string) => Rule {
  const rules = new Map<string, Rule>();
  return (reason) => {
    let rule = rules.get(reason);
    if (rule === undefined) {
      rule = refusing(
        `ambiguous path: ${reason}`,
        "The path can be read in more than one way; send it in its plain form.",
      );
      rules.set(reason, rule);
    }
    return rule;
  };
}
