/**
 * What people may name a thing of theirs: 1 to 100 characters, not all of them blank, and none that ends a line, moves
 * the cursor of a terminal, turns the direction of what follows it, or is NUL, which PostgreSQL does not store.
 */
export const LABEL_PATTERN = "^(?!\\s*$)[^\\p{Cc}\\p{Zl}\\p{Zp}\\u202A-\\u202E\\u2066-\\u2069]{1,100}$";

/** The rule in words, to follow "must be". */
export const LABEL_RULE = "1 to 100 characters, not all blank, without control characters";

const LABEL = new RegExp(LABEL_PATTERN, "u");

export function isLabel(text: string): boolean {
  return LABEL.test(text);
}
