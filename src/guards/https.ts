import type { Exchange } from "../kernel/exchange.ts";
import type { Decision, Guard } from "../kernel/guard.ts";
import { deny, PASS } from "../kernel/guard.ts";
import { problem } from "../kernel/problem.ts";
import { hostname, parseHost } from "../net/host.ts";
import { isNavigation } from "./navigation.ts";

export interface HttpsOptions {
  /** Refuse what did not come over TLS. */
  readonly force: boolean;
  /** Host names that a page may be redirected to; without them, the one the client asked for. */
  readonly allowedHosts?: readonly string[];
}

const REFUSAL = deny(
  problem("https_required", "Use https:// for this request; do not send credentials over plain HTTP."),
  "came over plain HTTP",
);
/** An origin-form target (RFC 9112 section 3.2.1) of visible characters: nothing that could end or split a header. */
const TARGET = /^\/[\x21-\x7e]*$/;

/**
 * Refuses plain HTTP (`https_required`), so that a client that leaks its credential finds out (ASVS V4.1.2, V12.2.1).
 * Only the navigation of a browser to a page for people is redirected: 308, never stored, to the validated host on the
 * standard port, since the plain one does not speak TLS. Throws `TypeError` for an allowed host that is none.
 */
export function createHttpsGuard(options: HttpsOptions): Guard {
  const { force, allowedHosts } = options;
  if (!force) return Object.freeze({ name: "https", check: () => PASS });
  const allowed = allowedHosts && new Set(allowedHosts.map(allowedHost));
  return {
    name: "https",
    check(exchange) {
      if (exchange.client.scheme === "https" || exchange.rule.plainHttp === true) return PASS;
      if (exchange.rule.page !== true || !isNavigation(exchange.view)) return REFUSAL;
      return redirect(exchange, allowed) ?? REFUSAL;
    },
  };
}

function allowedHost(text: string): string {
  const host = parseHost(text);
  if (host === undefined || hostname(host) !== host) {
    throw new TypeError(
      `${JSON.stringify(text)} is no host name; write one like kyros.example, without a port`,
    );
  }
  return host;
}

function redirect(
  { client, view }: Exchange,
  allowed: ReadonlySet<string> | undefined,
): Decision | undefined {
  const host = hostname(client.host);
  if (host === "" || !TARGET.test(view.target) || allowed?.has(host) === false) return undefined;
  const headers = ["location", `https://${host}${view.target}`, "cache-control", "no-store"];
  return { kind: "answer", answer: { status: 308, headers, body: "" } };
}
