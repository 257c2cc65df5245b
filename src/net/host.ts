import { canonicalAddress } from "./address.ts";

const BRACKETED = /^\[([0-9a-f]*:[0-9a-f:.]+)\](?::([1-9][0-9]{0,4}))?$/;
const NAMED = /^([a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?)(?::([1-9][0-9]{0,4}))?$/;
const LONGEST_HOST = 260;
const DEFAULT_PORT = { http: ":80", https: ":443" } as const;

/**
 * Reads a `Host` value (RFC 9110 section 7.2) into lower case: a DNS name, an IPv4 address or a bracketed IPv6
 * address, and a port where one is given. `undefined` for anything else: what cannot name a host is never put into a
 * URL or compared with an origin.
 */
export function parseHost(text: string): string | undefined {
  if (text.length > LONGEST_HOST) return undefined;
  const host = text.toLowerCase();
  const bracketed = BRACKETED.exec(host);
  const match = bracketed ?? NAMED.exec(host);
  if (!match || Number(match[2] ?? 1) > 65535) return undefined;
  if (bracketed && canonicalAddress(bracketed[1]!) === undefined) return undefined;
  return host;
}

/** A host as browsers write it in `Origin` (RFC 6454 section 6.2): without the port that the scheme implies. */
export function withoutDefaultPort(host: string, scheme: "http" | "https"): string {
  const port = DEFAULT_PORT[scheme];
  return host.endsWith(port) ? host.slice(0, -port.length) : host;
}

/** A host without its port. */
export function hostname(host: string): string {
  return host.replace(/:[0-9]+$/, "");
}
