import { createHmac, hash, timingSafeEqual } from "node:crypto";

/** SHA-256 of a text (UTF-8) in base64url: how high-entropy credentials are looked up and kept at rest. */
export function sha256Base64url(text: string): string {
  return hash("sha256", text, "base64url");
}

/** Longest text that is hashed in place by `prepareSha256`. */
const IN_PLACE_LENGTH = 8192;

/**
 * Prepares SHA-256 in base64url of texts (UTF-8) behind a fixed prefix, which keeps one purpose's hashes apart from
 * another's. The prefix is written once and each text into the same memory: twice as fast as joining them.
 */
export function prepareSha256(prefix: string): (text: string) => string {
  const start = Buffer.byteLength(prefix);
  const message = Buffer.alloc(start + 3 * IN_PLACE_LENGTH);
  message.write(prefix);
  return (text) =>
    text.length <= IN_PLACE_LENGTH
      ? hash("sha256", message.subarray(0, start + message.write(text, start, "utf8")), "base64url")
      : sha256Base64url(prefix + text);
}

/** HMAC-SHA-256 (RFC 2104) of a text under a key of its own purpose. */
export function hmacSha256(key: Uint8Array, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/** Whether two byte strings are equal, in time that does not depend on where they differ (ASVS V11.2.4). */
export function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
