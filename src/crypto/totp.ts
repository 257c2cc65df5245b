import { createHmac } from "node:crypto";
import { equalInConstantTime } from "./digest.ts";

/** As many as SHA-1 has (RFC 4226 section 4, R6). */
export const TOTP_SECRET_BYTES = 20;
const STEP_MS = 30_000;
const DIGITS = 6;
/** Steps before and after the present one whose codes count: clocks differ, and typing takes its time. */
const WINDOW = 1;

/** The time step of an instant (RFC 6238 section 4.2). */
export function totpStepAt(atMs: number): number {
  return Math.floor(atMs / STEP_MS);
}

/**
 * The code of a time step: HOTP (RFC 4226 section 5.3) with HMAC-SHA-1, six digits. SHA-1 is what authenticator apps
 * know; its collisions do not weaken HMAC (ASVS V11.4.1 allows it here).
 */
export function totpCode(secret: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", secret).update(counter).digest();
  const offset = mac[mac.length - 1]! & 0x0f;
  const number = mac.readUInt32BE(offset) & 0x7fff_ffff;
  return String(number % 10 ** DIGITS).padStart(DIGITS, "0");
}

/**
 * The step within the window that a code is for, or `undefined`. By the server's time alone (ASVS V6.5.8); every step is
 * compared, in constant time each.
 */
export function matchTotp(secret: Uint8Array, code: string, atMs: number): number | undefined {
  const shown = Buffer.from(code);
  const present = totpStepAt(atMs);
  let matched: number | undefined;
  for (let step = present - WINDOW; step <= present + WINDOW; step++) {
    if (step >= 0 && equalInConstantTime(Buffer.from(totpCode(secret, step)), shown)) matched = step;
  }
  return matched;
}

/** What authenticator apps read from a QR code: `otpauth://totp/…` (the Key URI format). */
export function totpUri(secret: Uint8Array, issuer: string, accountName: string): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(accountName)}`;
  const parameters = [
    `secret=${encodeBase32(secret)}`,
    `issuer=${encodeURIComponent(issuer)}`,
    "algorithm=SHA1",
    `digits=${DIGITS}`,
    `period=${STEP_MS / 1000}`,
  ];
  return `otpauth://totp/${label}?${parameters.join("&")}`;
}

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Base32 without padding (RFC 4648 section 6): what people can type where a camera is missing. */
export function encodeBase32(bytes: Uint8Array): string {
  let text = "";
  let buffer = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffer = (buffer << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += BASE32[(buffer >> bits) & 31];
    }
    buffer &= (1 << bits) - 1;
  }
  return bits > 0 ? text + BASE32[(buffer << (5 - bits)) & 31] : text;
}
