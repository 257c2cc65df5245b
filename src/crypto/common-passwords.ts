import { createRequire } from "node:module";

let known: ReadonlySet<string> | undefined;

/**
 * Whether a password is among some 18,000 common ones of eight or more characters, in any case (ASVS V6.2.4). The list
 * is read at the first question and not at start: most processes never ask.
 */
export function isCommonPassword(password: string): boolean {
  known ??= readList();
  return known.has(password.toLowerCase());
}

function readList(): ReadonlySet<string> {
  const require = createRequire(import.meta.url);
  const { dictionary }: typeof import("@zxcvbn-ts/language-common") = require("@zxcvbn-ts/language-common");
  return new Set(dictionary["passwords-common"].filter((entry) => entry.length >= 8));
}
