/** A user name in its two forms: as shown, and as the one key for lookup, limits and audit. */
export interface Username {
  readonly display: string;
  readonly key: string;
}

const ALLOWED = /^[\p{L}\p{N}][\p{L}\p{N}\p{M}._@+-]{0,63}$/u;

/**
 * Brings a user name to its canonical form before anything else looks at it (RFC 8265 UsernameCaseMapped in spirit:
 * NFKC, trimmed, lower case), so that full-width, case and trailing-space variants are one account and one counter.
 * `undefined` where it is no user name: 1 to 64 letters, digits and `. _ @ + -`, beginning with a letter or digit.
 */
export function canonicalUsername(text: string): Username | undefined {
  if (!text.isWellFormed() || text.length > 256) return undefined;
  const display = text.normalize("NFKC").trim();
  const key = display.toLowerCase().normalize("NFKC");
  return ALLOWED.test(display) && ALLOWED.test(key) ? { display, key } : undefined;
}
