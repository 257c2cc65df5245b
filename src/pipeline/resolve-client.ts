import type { Client, RequestView } from "../kernel/exchange.ts";
import { canonicalAddress, UNKNOWN_ADDRESS } from "../net/address.ts";
import type { CidrSet } from "../net/cidr.ts";
import { forwardedForFromRight, forwardedFromRight, parseScheme, trimOws } from "../net/forwarded.ts";
import { parseHost, withoutDefaultPort } from "../net/host.ts";

type Scheme = Client["scheme"];

/** What one family of forwarded headers says; an absent `host` is none named, an empty one is no valid host. */
interface Claim {
  readonly address: string;
  readonly scheme: Scheme | undefined;
  readonly host: string | undefined;
}

/** One of a request; its host is read and validated when somebody first asks, which most requests never do. */
class ResolvedClient implements Client {
  readonly address: string;
  readonly scheme: Scheme;
  readonly viaTrustedProxy: boolean;
  readonly #view: RequestView;
  #host: string | undefined;

  constructor(view: RequestView, address: string, scheme: Scheme, viaTrustedProxy: boolean, host?: string) {
    this.#view = view;
    this.address = address;
    this.scheme = scheme;
    this.viaTrustedProxy = viaTrustedProxy;
    this.#host = host;
  }

  get host(): string {
    if (this.#host === undefined) {
      const lines = this.#view.headerLines("host");
      // Several Host lines are several answers (RFC 9112 section 3.2).
      const host = lines.length === 1 ? parseHost(lines[0]!) : undefined;
      this.#host = withoutDefaultPort(host ?? "", this.scheme);
    }
    return this.#host;
  }
}

/**
 * Makes the function that tells who is at the other end of a connection (RFC 7239; ASVS V4.1.3).
 *
 * Forwarded headers are believed only from a peer in `trustedProxies`, and only as far as trusted proxies wrote them:
 * each list is walked from its right end past trusted addresses to the first other one, the client. An element that is
 * malformed or keeps its address to itself stops the walk, and the client is then the last proxy that was vouched for;
 * nothing further left is looked at. Scheme and host are what was said at the hop where the walk ended. A proxy that
 * forwards but does not say the scheme counts as plain HTTP, since silence must not pass for TLS; one that does not
 * name the host leaves the `Host` header.
 *
 * `Forwarded` and `X-Forwarded-*` do not outrank each other: most proxies write one and let a client's other one
 * through. Where both come, only what both say alike is believed: else the address is `unknown`, the scheme `http`.
 * No other header is read: not `X-Real-IP`, `X-Forwarded-Prefix` or `-Port`, nor a spelling with `_` or `.`.
 *
 * A peer without an IP address (a Unix socket, but also a connection that was reset meanwhile) is `unknown` and never
 * trusted: otherwise resetting the connection would be a way to be believed.
 */
export function createClientResolver(options: {
  readonly trustedProxies: CidrSet | undefined;
}): (view: RequestView) => Client {
  const trusted = options.trustedProxies;
  return (view) => {
    const peer = canonicalAddress(view.peerAddress) ?? UNKNOWN_ADDRESS;
    const ownScheme: Scheme = view.peerEncrypted ? "https" : "http";
    if (trusted === undefined || !trusted.contains(peer)) {
      return new ResolvedClient(view, peer, ownScheme, false);
    }
    const one = claimOfForwarded(view, peer, trusted);
    const other = claimOfXForwarded(view, peer, trusted);
    const claim = one && other ? agreed(one, other) : (one ?? other);
    if (claim === undefined) return new ResolvedClient(view, peer, ownScheme, true);
    const scheme = claim.scheme ?? "http";
    const host = claim.host === undefined ? undefined : withoutDefaultPort(claim.host, scheme);
    return new ResolvedClient(view, claim.address, scheme, true, host);
  };
}

function claimOfForwarded(view: RequestView, peer: string, trusted: CidrSet): Claim | undefined {
  const lines = view.headerLines("forwarded");
  if (lines.length === 0) return undefined;
  let claim: Claim = { address: peer, scheme: undefined, host: undefined };
  for (const hop of forwardedFromRight(lines)) {
    if (hop === undefined) return { address: claim.address, scheme: undefined, host: undefined };
    claim = { address: hop.address ?? claim.address, scheme: hop.scheme, host: validated(hop.host) };
    if (hop.address === undefined || !trusted.contains(hop.address)) break;
  }
  return claim;
}

function claimOfXForwarded(view: RequestView, peer: string, trusted: CidrSet): Claim | undefined {
  const addresses = view.headerLines("x-forwarded-for");
  const schemes = view.headerLines("x-forwarded-proto");
  const hosts = view.headerLines("x-forwarded-host");
  if (addresses.length === 0 && schemes.length === 0 && hosts.length === 0) return undefined;
  let address = peer;
  let walked = 0;
  for (const hop of forwardedForFromRight(addresses)) {
    walked++;
    if (hop === undefined) break;
    address = hop;
    if (!trusted.contains(hop)) break;
  }
  const hopFromRight = Math.max(0, walked - 1);
  const scheme = parseScheme(valueAt(schemes, hopFromRight) ?? "");
  return { address, scheme, host: validated(valueAt(hosts, hopFromRight)) };
}

/**
 * The value for a hop, counted from the right: the only one, where proxies pass it on, or the one in the hop's place,
 * where each appends its own. Several lines are nobody's word: one of them may be the client's own.
 */
function valueAt(lines: readonly string[], hopFromRight: number): string | undefined {
  if (lines.length !== 1) return undefined;
  const values = lines[0]!.split(",");
  const value = values.length === 1 ? values[0] : values.at(-1 - hopFromRight);
  return value === undefined ? undefined : trimOws(value);
}

function agreed(one: Claim, other: Claim): Claim {
  return {
    address: one.address === other.address ? one.address : UNKNOWN_ADDRESS,
    scheme: one.scheme === other.scheme ? one.scheme : undefined,
    // A host that is contested is not the connection's `Host` either; no text names none.
    host: one.host === other.host ? one.host : "",
  };
}

function validated(host: string | undefined): string | undefined {
  return host === undefined ? undefined : (parseHost(host) ?? "");
}
