import ipaddr from "ipaddr.js";
import { memoise } from "./memoise.ts";

/** What stands for an address that nobody vouches for. It is in no range, and all of its kind share one limit. */
export const UNKNOWN_ADDRESS = "unknown";

const IPV4 = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?!$)|$)){4}$/;
const IPV6_LETTERS = /^[0-9a-fA-F:]+$/;
/** RFC 6874 section 2: the characters of a zone identifier. */
const ZONE = /^[0-9A-Za-z._~-]+$/;
const LONGEST_TEXT = 64;
const REMEMBERED = 2048;

/**
 * Brings the text of an IP address to its one canonical form, so that no notation is a second identity: IPv4 as four
 * decimals, IPv6 as RFC 5952 writes it, IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2) folded to IPv4, the zone of RFC
 * 4007 removed. `undefined` for anything else, and for the octal, hexadecimal and shortened IPv4 spellings, which
 * parsers read differently. NAT64 and other embeddings are addresses of their own.
 */
export function canonicalAddress(text: string): string | undefined {
  return text.length > LONGEST_TEXT ? undefined : remembered(text);
}

/**
 * The limit key of a canonical address: IPv4 as it is, IPv6 by its /56 (`2001:db8:0:100::/56`), the smallest block
 * that is commonly one customer; whoever holds one would otherwise have 2^72 keys. A text that is no address is its
 * own key.
 */
export function limitKeyOfAddress(canonical: string): string {
  return canonical.includes(":") ? limitBlock(canonical) : canonical;
}

const remembered = memoise(canonicalise, REMEMBERED);

const limitBlock = memoise((text) => {
  const canonical = canonicalAddress(text);
  if (!canonical?.includes(":")) return canonical ?? text;
  const [a = 0, b = 0, c = 0, d = 0] = ipaddr.IPv6.parse(canonical).parts;
  return `${new ipaddr.IPv6([a, b, c, d & 0xff00, 0, 0, 0, 0]).toRFC5952String()}/56`;
}, REMEMBERED);

function canonicalise(text: string): string | undefined {
  if (!text.includes(":")) return IPV4.test(text) ? text : undefined;
  const percent = text.indexOf("%");
  if (percent >= 0 && !ZONE.test(text.slice(percent + 1))) return undefined;
  const hexadecimal = withoutDottedTail(percent < 0 ? text : text.slice(0, percent));
  if (hexadecimal === undefined || !IPV6_LETTERS.test(hexadecimal)) return undefined;
  if (!ipaddr.IPv6.isValid(hexadecimal)) return undefined;
  const address = ipaddr.IPv6.parse(hexadecimal);
  return address.isIPv4MappedAddress() ? address.toIPv4Address().toString() : address.toRFC5952String();
}

/**
 * Turns `::ffff:192.0.2.1` into `::ffff:c000:201` by the strict IPv4 grammar: ipaddr.js would read octal and
 * hexadecimal decimals there, and would take `::192.0.2.1` for an IPv4-mapped address, which it is not.
 */
function withoutDottedTail(text: string): string | undefined {
  if (!text.includes(".")) return text;
  const tail = text.lastIndexOf(":") + 1;
  const dotted = text.slice(tail);
  if (!IPV4.test(dotted)) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = dotted.split(".").map(Number);
  return `${text.slice(0, tail)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}
