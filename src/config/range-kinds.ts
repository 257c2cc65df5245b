import { canonicalAddress } from "../net/address.ts";
import { CidrFault, parseCidrs } from "../net/cidr.ts";
import type { Kind } from "./kind.ts";
import { invalid, listOf, valid } from "./kind.ts";

const addressRange: Kind<string> = {
  allowed: "CIDR ranges or addresses, like `10.0.0.0/8`, `2001:db8::/32` or `192.0.2.1`",
  read(text) {
    try {
      parseCidrs([text]);
      return valid(text);
    } catch (error) {
      if (error instanceof CidrFault)
        return invalid("is not an address range: a CIDR with no bits beyond its prefix");
      throw error;
    }
  },
  show: (value) => value,
};

/** Ranges of addresses (RFC 4632). */
export const addressRanges: Kind<readonly string[]> = listOf(addressRange);

/** The widest blocks that are one operator's own: `10.0.0.0/8`, and `fc00::/7` (RFC 1918, RFC 4193). */
const WIDEST_IPV4_PREFIX = 8;
const WIDEST_IPV6_PREFIX = 7;
/** IPv4 as IPv6 begins after so many bits (RFC 4291 section 2.5.5.2). */
const MAPPED_PREFIX = 96;

/** Whether a valid range is wider than any private network, so that strangers are in it. */
export function isTooWide(range: string): boolean {
  const [address = "", prefix] = range.split("/");
  if (prefix === undefined) return false;
  if (canonicalAddress(address)?.includes(":")) return Number(prefix) < WIDEST_IPV6_PREFIX;
  return Number(prefix) - (address.includes(":") ? MAPPED_PREFIX : 0) < WIDEST_IPV4_PREFIX;
}
