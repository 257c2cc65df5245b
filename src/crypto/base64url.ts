/**
 * The bytes of a base64url text in its one canonical form (RFC 4648 sections 3.5 and 5): no padding, no other
 * character, no impossible length, the unused bits of the last character zero. `undefined` for any other text: decoders
 * take several texts for the same bytes, and whoever compares or revokes by text must not.
 */
export function decodeBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : undefined;
}

/** Whether a text is canonical base64url. */
export function isCanonicalBase64url(text: string): boolean {
  return decodeBase64url(text) !== undefined;
}
