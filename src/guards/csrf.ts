import type { CsrfTokens } from "../crypto/csrf-token.ts";
import type { Exchange } from "../kernel/exchange.ts";
import type { Decision, Guard } from "../kernel/guard.ts";
import { deny, PASS } from "../kernel/guard.ts";
import { bindingOf } from "../kernel/principal.ts";
import { problem } from "../kernel/problem.ts";
import { parseOrigins } from "../net/origin.ts";

export interface CsrfOptions {
  readonly tokens: CsrfTokens;
  readonly enabled: boolean;
  /** Other origins whose pages are ours too: those that CORS lets in. */
  readonly trustedOrigins: readonly string[];
}

export interface CsrfGuard extends Guard {
  /**
   * Judges what the guard had to leave pending: a form whose token is in its body (`_csrf`). An adapter calls it with
   * that field after parsing the body and before the handler; one that parses no forms calls it with `undefined`.
   */
  checkFormToken(exchange: Exchange, field: string | undefined): Decision;
}

const FORM_FIELD = "_csrf";

const FOREIGN = problem(
  "csrf_invalid",
  "The request comes from a page of another site; send it from this one.",
);
const UNBOUND = problem(
  "csrf_invalid",
  "The session cookie that came along is no longer valid; send the request without it.",
);
const UNPROVED = problem("csrf_invalid", "Send the token of GET /auth/csrf in the X-CSRF-Token header.");
const REFUSALS = {
  crossSite: deny(FOREIGN, "Sec-Fetch-Site is cross-site"),
  sameSite: deny(FOREIGN, "Sec-Fetch-Site is same-site, from an origin that is not listed"),
  malformedSite: deny(FOREIGN, "Sec-Fetch-Site is malformed"),
  nullOrigin: deny(FOREIGN, "Origin is null"),
  foreignOrigin: deny(FOREIGN, "Origin is another site's"),
  noSession: deny(UNBOUND, "a dead cookie came along, so that there is no session to bind the token to"),
  missing: deny(UNPROVED, "the token is missing"),
  invalid: deny(UNPROVED, "the token is not valid for this session"),
  expired: deny(UNPROVED, "the token has expired"),
} as const satisfies Record<string, Decision>;

/**
 * Refuses state-changing requests that another site's page made a browser send (OWASP CSRF Prevention; ASVS V3.5.1).
 * A rule's `csrf` says what is asked for: `origin`, that the request is not a foreign page's; `token`, where a session
 * cookie came along, that and a token bound to the session; `exempt`, nothing. GET, HEAD and OPTIONS change nothing
 * and pass; no header or field can turn one method into another. Refusals are 403 `csrf_invalid`.
 */
export function createCsrfGuard(options: CsrfOptions): CsrfGuard {
  const { tokens, enabled } = options;
  if (!enabled) return Object.freeze({ name: "csrf", check: () => PASS, checkFormToken: () => PASS });
  const trusted = parseOrigins(options.trustedOrigins);

  function check(exchange: Exchange): Decision {
    const { view, rule } = exchange;
    if (rule.csrf === "exempt") return PASS;
    if (isSafe(view.method)) {
      // A WebSocket handshake is a GET that opens a channel in the user's name, outside CORS (RFC 6455 section 10.2).
      const opensChannel = exchange.ridesOnCookie && view.header("upgrade") !== undefined;
      return opensChannel ? checkOrigin(exchange, trusted) : PASS;
    }
    if (rule.csrf === "origin") return checkOrigin(exchange, trusted);
    // Without a cookie the browser adds nothing of its own: whoever sends the request knows the credential in it.
    if (!exchange.ridesOnCookie) return PASS;
    const binding = bindingFor(exchange);
    if (binding === undefined && exchange.principal.kind === "anonymous") {
      // A dead cookie and nothing else: there is no user in whose name to act, and no session to prove.
      return checkOrigin(exchange, trusted);
    }
    const site = checkSite(exchange, trusted);
    if (site.kind !== "pass") return site;
    return binding === undefined ? REFUSALS.noSession : checkToken(exchange, binding);
  }

  function checkToken(exchange: Exchange, binding: string): Decision {
    const { view } = exchange;
    const token = view.header("x-csrf-token");
    if (token !== undefined) return verdict(exchange, binding, token);
    if (!isForm(view.header("content-type"))) return REFUSALS.missing;
    const field = view.formField?.(FORM_FIELD);
    if (field !== undefined) return verdict(exchange, binding, field);
    exchange.csrfPending = true;
    return PASS;
  }

  function verdict(exchange: Exchange, binding: string, token: string): Decision {
    const result = tokens.verify(token, binding, exchange.nowMs);
    return result === "valid" ? PASS : REFUSALS[result];
  }

  function checkFormToken(exchange: Exchange, field: string | undefined): Decision {
    if (!exchange.csrfPending) return PASS;
    const binding = bindingFor(exchange);
    if (field === undefined || binding === undefined) return REFUSALS.missing;
    const decision = verdict(exchange, binding, field);
    if (decision.kind === "pass") exchange.csrfPending = false;
    return decision;
  }

  return { name: "csrf", check, checkFormToken };
}

/**
 * The check for requests without a token. Browsers set `Sec-Fetch-Site` themselves and let no script change it, so it
 * decides where it is sent; `Origin` is for the browsers (before 2023) and the plain-HTTP pages that send none.
 */
function checkOrigin(exchange: Exchange, trusted: ReadonlySet<string>): Decision {
  const origin = exchange.view.header("origin");
  const site = exchange.view.header("sec-fetch-site");
  // A page of ours may itself send `Origin: null`: its policy is no-referrer. Only Sec-Fetch-Site can tell.
  if (site === "same-origin") return PASS;
  if (origin === "null") return REFUSALS.nullOrigin;
  switch (site) {
    case "none":
      return PASS;
    case undefined:
      // Neither header: no browser of the last years. A program can only forge requests in its own name.
      return origin === undefined || isOwn(exchange, origin) || trusted.has(origin)
        ? PASS
        : REFUSALS.foreignOrigin;
    // A listed origin is one of ours wherever it is hosted: without this, no page on another site could sign in.
    // An unlisted sibling is refused: a subdomain that was taken over is exactly who would log a user in as another.
    case "same-site":
      return origin !== undefined && trusted.has(origin) ? PASS : REFUSALS.sameSite;
    case "cross-site":
      return origin !== undefined && trusted.has(origin) ? PASS : REFUSALS.crossSite;
    default:
      return REFUSALS.malformedSite;
  }
}

/** The check for requests that must also show the token: coarser towards siblings, stricter towards other sites. */
function checkSite(exchange: Exchange, trusted: ReadonlySet<string>): Decision {
  const origin = exchange.view.header("origin");
  const site = exchange.view.header("sec-fetch-site");
  if (site === "same-origin") return PASS;
  if (origin === "null") return REFUSALS.nullOrigin;
  switch (site) {
    // A sibling can plant cookies but cannot read answers, and so cannot know the token of the victim's session; a
    // token of the attacker's own is bound to another session.
    case "same-site":
    case "none":
      return PASS;
    case undefined:
      return origin === undefined || isOwn(exchange, origin) || trusted.has(origin)
        ? PASS
        : REFUSALS.foreignOrigin;
    // Not even from a listed origin: SameSite=Lax keeps the cookie out of such requests, so that one which has it
    // comes from a browser that does not keep that promise.
    case "cross-site":
      return REFUSALS.crossSite;
    default:
      return REFUSALS.malformedSite;
  }
}

/** Scheme, host and port alike: a plain-HTTP page of the same host is whoever sits on the network. */
function isOwn({ client }: Exchange, origin: string): boolean {
  return client.host !== "" && origin === `${client.scheme}://${client.host}`;
}

/** The cookie's own session where it is live, also beside a bearer token; else the session the caller proved. */
function bindingFor({ cookieBinding, principal }: Exchange): string | undefined {
  return cookieBinding ?? (principal.kind === "user" ? bindingOf(principal) : undefined);
}

function isSafe(method: string): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS";
}

function isForm(contentType: string | undefined): boolean {
  if (contentType === undefined) return false;
  const end = contentType.indexOf(";");
  const type = end < 0 ? contentType : contentType.slice(0, end);
  return type.trim().toLowerCase() === "application/x-www-form-urlencoded";
}
