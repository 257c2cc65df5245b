import { createPublicKey, verify } from "node:crypto";
import { decodeBase64url } from "./base64url.ts";

const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** DER of a SubjectPublicKeyInfo for Ed25519 (RFC 8410 section 4) up to the key itself. */
const SPKI_HEAD = Buffer.from("302a300506032b6570032100", "hex");

/** Whether a text is a raw Ed25519 public key in canonical base64url. */
export function isEd25519PublicKey(text: string): boolean {
  return decodeBase64url(text)?.byteLength === PUBLIC_KEY_BYTES;
}

/** Whether a signature (base64url) of a text (UTF-8) is that of a raw public key (base64url): RFC 8032. */
export function verifyEd25519(publicKey: string, text: string, signature: string): boolean {
  const key = decodeBase64url(publicKey);
  const bytes = decodeBase64url(signature);
  if (key?.byteLength !== PUBLIC_KEY_BYTES || bytes?.byteLength !== SIGNATURE_BYTES) return false;
  try {
    const spki = createPublicKey({ key: Buffer.concat([SPKI_HEAD, key]), format: "der", type: "spki" });
    return verify(null, Buffer.from(text), spki, bytes);
  } catch {
    // Bytes that are no point of the curve.
    return false;
  }
}
