import { isCommonPassword } from "./common-passwords.ts";

const MIN_CODE_POINTS = 8;
const MAX_CODE_POINTS = 128;

/**
 * What is wrong with a password that somebody chooses, in words for them; `undefined` where nothing is. Any characters
 * will do and all count (NIST SP 800-63B-4 section 3.1.1.2; ASVS V6.2.1, V6.2.4, V6.2.5, V6.2.9).
 */
export function passwordFault(password: string): string | undefined {
  if (!password.isWellFormed()) return "holds a lone surrogate, which is not Unicode text";
  const length = countCodePoints(password);
  if (length < MIN_CODE_POINTS) return `must have at least ${MIN_CODE_POINTS} characters`;
  if (length > MAX_CODE_POINTS) return `must have at most ${MAX_CODE_POINTS} characters`;
  return isCommonPassword(password) ? "is one of the most common passwords" : undefined;
}

/** Code points of a text, counted no further than is needed to see that there are too many. */
function countCodePoints(text: string): number {
  let count = 0;
  for (const _ of text) {
    if (++count > MAX_CODE_POINTS) break;
  }
  return count;
}
