import type { Fingerprint } from "../sip-hash.ts";

/**
 * Writes the key of a limit as 128 bits into `out`, four words. Keys of the kinds that every request brings are
 * written exactly, so that no two clients can ever share a counter:
 *
 * - `address:` and a dotted quad or a canonical IPv6 /56 prefix (RFC 5952), as 4 or 7 bytes;
 * - `user:` or `key:` and a UUID of version 4 or 7 in lower case (RFC 9562), as its 122 free bits.
 *
 * Any other text, and any other spelling of those, becomes a keyed fingerprint of 126 bits: among a million clients
 * the chance that any two ever meet is below 10^12 / 2^127, or 6 × 10^-27.
 *
 * The two bits where a UUID has its variant tell the kinds apart, and the four of its version tell `user` from `key`.
 * No key leaves the third word 0.
 */
export function writeLimitKey(key: string, fingerprint: Fingerprint, out: Int32Array): void {
  const exact = key.startsWith("address:")
    ? writeIpv4(key, out) || writeIpv6Prefix(key, out)
    : key.startsWith("user:")
      ? writeUuid(key, 5, USER, out)
      : key.startsWith("key:") && writeUuid(key, 4, API_KEY, out);
  if (exact) return;
  fingerprint(key, out);
  out[2]! |= TEXT;
}

/** Values of the variant's two bits, in the third word; a UUID itself has 0b10 there. */
const ADDRESS = 0x4000_0000;
const TEXT = 0xc000_0000;

/** Values of the version's four bits, in the second word; 1 is added for version 7. */
const USER = 0x2000;
const API_KEY = 0x4000;

/** The value of each lower-case hexadecimal digit by its code, -1 for any other: no branch to mispredict. */
const HEX = new Int8Array(0x80).fill(-1);
for (let i = 0; i < 16; i++) HEX[i.toString(16).charCodeAt(0)] = i;

const ADDRESS_AT = "address:".length;

function writeIpv4(key: string, out: Int32Array): boolean {
  if (key.length < ADDRESS_AT + 7 || key.length > ADDRESS_AT + 15) return false;
  let address = 0;
  let dots = 0;
  let octet = -1;
  for (let i = ADDRESS_AT; i < key.length; i++) {
    const code = key.charCodeAt(i);
    if (code === 0x2e) {
      if (octet < 0) return false;
      address = (address << 8) | octet;
      octet = -1;
      dots++;
    } else {
      const digit = code - 0x30;
      // A second digit after a zero would be another spelling of the same octet.
      if (digit < 0 || digit > 9 || octet === 0) return false;
      octet = octet < 0 ? digit : octet * 10 + digit;
      if (octet > 255) return false;
    }
  }
  if (dots !== 3 || octet < 0) return false;
  out[0] = (address << 8) | octet;
  out[1] = 0;
  out[2] = ADDRESS | 4;
  out[3] = 0;
  return true;
}

const PREFIX_END = "::/56";

/** In canonical text the zeros after a /56 are its longest run, so what stands before `::` are its groups alone. */
function writeIpv6Prefix(key: string, out: Int32Array): boolean {
  const end = key.length - PREFIX_END.length;
  if (end < ADDRESS_AT || !key.endsWith(PREFIX_END)) return false;
  let high = 0;
  let low = 0;
  let count = 0;
  let group = 0;
  for (let i = ADDRESS_AT; i < end; ) {
    const start = i;
    group = 0;
    for (; i < end; i++) {
      const code = key.charCodeAt(i);
      const digit = code > 0x7f ? -1 : HEX[code]!;
      if (digit < 0) break;
      // Leading zeros and a fifth digit would be another spelling, or none.
      if (i - start === 4 || (i > start && group === 0)) return false;
      group = (group << 4) | digit;
    }
    if (i === start || count === 4) return false;
    if (count === 0) high = group << 16;
    else if (count === 1) high |= group;
    else if (count === 2) low = group << 16;
    else low |= group;
    count++;
    if (i < end) {
      if (key.charCodeAt(i) !== 0x3a || ++i === end) return false;
    }
  }
  // A last group of zero belongs into the run, and the last eight bits are beyond the prefix.
  if ((count > 0 && group === 0) || (low & 0xff) !== 0) return false;
  out[0] = high;
  out[1] = low;
  out[2] = ADDRESS | 6;
  out[3] = 0;
  return true;
}

function writeUuid(key: string, at: number, kind: number, out: Int32Array): boolean {
  if (
    key.length !== at + 36 ||
    key.charCodeAt(at + 8) !== 0x2d ||
    key.charCodeAt(at + 13) !== 0x2d ||
    key.charCodeAt(at + 18) !== 0x2d ||
    key.charCodeAt(at + 23) !== 0x2d
  ) {
    return false;
  }
  const a = hexGroup(key, at);
  const b = hexGroup(key, at + 4);
  const c = hexGroup(key, at + 9);
  const d = hexGroup(key, at + 14);
  const e = hexGroup(key, at + 19);
  const f = hexGroup(key, at + 24);
  const g = hexGroup(key, at + 28);
  const h = hexGroup(key, at + 32);
  if ((a | b | c | d | e | f | g | h) < 0) return false;
  const version = d >>> 12;
  if ((version !== 4 && version !== 7) || e >>> 14 !== 0b10) return false;
  out[0] = (a << 16) | b;
  out[1] = (c << 16) | (d & 0x0fff) | (version === 7 ? kind + 0x1000 : kind);
  out[2] = (e << 16) | f;
  out[3] = (g << 16) | h;
  return true;
}

/** Four lower-case hexadecimal digits; negative where one is not. */
function hexGroup(text: string, at: number): number {
  const a = text.charCodeAt(at);
  const b = text.charCodeAt(at + 1);
  const c = text.charCodeAt(at + 2);
  const d = text.charCodeAt(at + 3);
  if ((a | b | c | d) > 0x7f) return -1;
  return (HEX[a]! << 12) | (HEX[b]! << 8) | (HEX[c]! << 4) | HEX[d]!;
}
