import { createHmac } from "node:crypto";

/** Base64url of a text, or of the JSON of anything else. */
export function segment(value: unknown): string {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
}

/** A compact JWS with an HMAC over any header and payload: text stands as it is, objects as their JSON. */
export function forge(key: Uint8Array | string, header: unknown, payload: unknown, hash = "sha512"): string {
  return resign(key, `${segment(header)}.${segment(payload)}`, hash);
}

/** The same over segments that are there already. */
export function resign(key: Uint8Array | string, input: string, hash = "sha512"): string {
  return `${input}.${createHmac(hash, key).update(input).digest("base64url")}`;
}
