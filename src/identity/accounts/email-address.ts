const LONGEST = 254;
const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
const LOCAL = new RegExp(`^${ATOM}(?:\\.${ATOM})*$`);
const DOMAIN = new RegExp(`^${LABEL}(?:\\.${LABEL})+$`);

/**
 * Whether a text is an e-mail address as people have them: a dot-string of at most 64 characters and a domain of two
 * labels or more (RFC 5321 sections 4.1.2 and 4.5.3.1), in ASCII, without quotes, comments and address literals.
 */
export function isEmailAddress(text: string): boolean {
  const at = text.lastIndexOf("@");
  const local = text.slice(0, Math.max(at, 0));
  return text.length <= LONGEST && local.length <= 64 && LOCAL.test(local) && DOMAIN.test(text.slice(at + 1));
}
