import { hash } from "node:crypto";

const BLOCK_BYTES = { sha256: 64, sha384: 128, sha512: 128 } as const;

/** Longest text (UTF-16 units) that is assembled in place; an access token always fits. */
const IN_PLACE_LENGTH = 4096;

/**
 * Prepares HMAC (RFC 2104) under one key: the result computes the code of a text (UTF-8) in base64 or base64url.
 * The padded key blocks are built once and each code is two one-shot hashes whose results pass as strings: an order of
 * magnitude cheaper on short texts than a native HMAC object for each.
 */
export function prepareHmac(
  algorithm: keyof typeof BLOCK_BYTES,
  key: Uint8Array,
  encoding: "base64" | "base64url",
): (text: string) => string {
  const block = BLOCK_BYTES[algorithm];
  const shortKey = key.byteLength > block ? hash(algorithm, key, "buffer") : key;
  const inner = Buffer.alloc(block + 3 * IN_PLACE_LENGTH);
  const digestBytes = hash(algorithm, "", "binary").length;
  const outer = Buffer.alloc(block + digestBytes);
  for (let i = 0; i < block; i++) {
    const byte = shortKey[i] ?? 0;
    inner[i] = byte ^ 0x36;
    outer[i] = byte ^ 0x5c;
  }
  const innerKey = inner.subarray(0, block);

  return (text) => {
    const message =
      text.length <= IN_PLACE_LENGTH
        ? inner.subarray(0, block + inner.write(text, block, "utf8"))
        : Buffer.concat([innerKey, Buffer.from(text, "utf8")]);
    outer.write(hash(algorithm, message, "binary"), block, "latin1");
    return hash(algorithm, outer, encoding);
  };
}
