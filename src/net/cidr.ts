import ipaddr from "ipaddr.js";
import { canonicalAddress } from "./address.ts";
import { memoise } from "./memoise.ts";

/** A set of address ranges. */
export interface CidrSet {
  /** Whether an address, given in its canonical text, lies in one of the ranges; never true for `unknown`. */
  contains(canonicalAddress: string): boolean;
}

/** Texts that are no address ranges; `faults` has one line for each. */
export class CidrFault extends Error {
  override readonly name = "CidrFault";
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join("; "));
    this.faults = faults;
  }
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = readonly [network: Address, prefixLength: number];

const CIDR = /^([^/]+)\/(0|[1-9][0-9]{0,2})$/;
const REMEMBERED = 1024;
/** The length of `::ffff:0:0/96`, the block that holds IPv4 as IPv6. */
const MAPPED_PREFIX = 96;

/**
 * Reads ranges in CIDR notation (RFC 4632, RFC 4291 section 2.3); an address alone is the range of just itself, and a
 * range of IPv4-mapped addresses is the IPv4 range. IPv6 ranges never hold IPv4 addresses, nor the other way round.
 * A range with bits set beyond its prefix is refused, not masked: `10.1.2.3/8` is as likely a slip for `/32`, and
 * masking would then trust sixteen million addresses. Throws `CidrFault` with all faults at once.
 */
export function parseCidrs(texts: readonly string[]): CidrSet {
  const ranges: Range[] = [];
  const faults: string[] = [];
  for (const text of texts) {
    const range = parseRange(text);
    if (typeof range === "string") faults.push(range);
    else ranges.push(range);
  }
  if (faults.length > 0) throw new CidrFault(faults);
  const contains = memoise((text) => {
    const canonical = canonicalAddress(text);
    if (canonical === undefined) return false;
    const address = ipaddr.parse(canonical);
    return ranges.some((range) => address.kind() === range[0].kind() && inRange(address, range));
  }, REMEMBERED);
  return { contains };
}

/** A range, or one line on what is wrong with the text. */
function parseRange(text: string): Range | string {
  const quoted = JSON.stringify(text);
  const match = CIDR.exec(text);
  const canonical = canonicalAddress(match ? match[1]! : text);
  if (canonical === undefined || text.includes("%")) {
    return `${quoted} is no address range; write one like 10.0.0.0/8, 2001:db8::/32 or 192.0.2.1`;
  }
  const address = ipaddr.parse(canonical);
  const bits = address.kind() === "ipv4" ? 32 : 128;
  if (!match) return [address, bits];
  const isMapped = bits === 32 && match[1]!.includes(":");
  const length = Number(match[2]) - (isMapped ? MAPPED_PREFIX : 0);
  if (length < 0) return `${quoted} mixes IPv4 and IPv6; write the IPv4 range as 10.0.0.0/8`;
  if (length > bits) return `${quoted} has a prefix longer than ${bits + (isMapped ? MAPPED_PREFIX : 0)}`;
  const network = masked(address, length);
  if (network.toString() !== canonical) {
    return `${quoted} has bits set beyond its prefix; write ${network}/${length} or ${canonical}/${bits}`;
  }
  return [address, length];
}

function inRange(address: Address, [network, length]: Range): boolean {
  return address.match(network, length);
}

function masked(address: Address, length: number): Address {
  const bytes = address.toByteArray().map((byte, index) => {
    const kept = Math.min(8, Math.max(0, length - index * 8));
    return byte & (0xff00 >> kept) & 0xff;
  });
  return ipaddr.fromByteArray(bytes);
}
