import { crc32 } from "node:zlib";
import type { Random } from "../../kernel/random.ts";

/** The text of an API key, taken apart. */
export interface KeyText {
  readonly publicId: string;
  readonly secret: string;
}

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** What every key begins with. */
export const KEY_PREFIX = "kyros_";
const PUBLIC_ID_LENGTH = 12;
/** 43 characters of 62 are 256 bits. */
const SECRET_LENGTH = 43;
/** A CRC-32 fills six characters of 62. */
const CHECKSUM_LENGTH = 6;
const FORM = /^kyros_([0-9A-Za-z]{12})_([0-9A-Za-z]{43})_([0-9A-Za-z]{6})$/;

/**
 * Writes a new key: `kyros_<public id>_<secret>_<checksum>`. The prefix and the checksum (CRC-32 of all before it) let
 * a scanner tell a leaked key from noise, and a mistyped one be refused, without any database.
 */
export function generateKeyText(
  random: Random,
  publicId = base62(random, PUBLIC_ID_LENGTH),
): KeyText & { text: string } {
  const secret = base62(random, SECRET_LENGTH);
  const body = `${KEY_PREFIX}${publicId}_${secret}`;
  return { publicId, secret, text: `${body}_${checksum(body)}` };
}

/** Takes a key's text apart; `undefined` for any text that `generateKeyText` cannot have written. */
export function parseKeyText(text: string): KeyText | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const body = text.slice(0, -CHECKSUM_LENGTH - 1);
  return checksum(body) === match[3] ? { publicId: match[1]!, secret: match[2]! } : undefined;
}

function checksum(body: string): string {
  let rest = crc32(body);
  let text = "";
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    text = ALPHABET[rest % 62]! + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}

/** Uniform over the alphabet: bytes that would favour its beginning are drawn again. */
function base62(random: Random, length: number): string {
  let text = "";
  while (text.length < length) {
    for (const byte of random.bytes(length)) {
      if (byte < 248 && text.length < length) text += ALPHABET[byte % 62]!;
    }
  }
  return text;
}
