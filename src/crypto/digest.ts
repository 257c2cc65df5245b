import { createHmac, hash, timingSafeEqual } from "node:crypto";

/** SHA-256 of a text (UTF-8) in base64url: how high-entropy credentials are looked up and kept at rest. */
export function sha256Base64url(text: string): string {
  return hash("sha256", text, "base64url");
}

/** HMAC-SHA-256 (RFC 2104) of a text under a key of its own purpose. */
export function hmacSha256(key: Uint8Array, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/** Whether two byte strings are equal, in time that does not depend on where they differ (ASVS V11.2.4). */
export function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
