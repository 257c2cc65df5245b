/** A path in its one reading, or one word on why it has more than one. */
export type PathReading = { readonly path: string } | { readonly ambiguous: string };

/** An origin-form target (RFC 9112 section 3.2.1) of visible ASCII, without a fragment. */
const TARGET = /^\/[\x21\x22\x24-\x7e]*$/;
const PERCENT_ENCODED = /%[0-9a-f]{2}/i;
const DOTS = /^\.{1,2} *$/;
const CONTROL = /\p{Cc}/u;

/**
 * Reads the path of a request target as whoever serves it will read it: percent-decoded once (RFC 3986 section 2.1),
 * without its query. What servers and frameworks read in different ways is refused, not repaired (ASVS V1.1.1): dot
 * segments, encoded slashes, backslashes and percent signs, path parameters (`;`), control characters, text that is
 * not UTF-8, and a beginning that could be another host's; and letters that look like any of these.
 */
export function readPlainPath(target: string): PathReading {
  if (!TARGET.test(target)) return { ambiguous: "not a path of visible characters" };
  const query = target.indexOf("?");
  const raw = query < 0 ? target : target.slice(0, query);
  if (raw.startsWith("//")) return { ambiguous: "begins with two slashes" };
  if (/%2f/i.test(raw)) return { ambiguous: "encoded slash" };
  const path = decoded(raw);
  if (path === undefined) return { ambiguous: "malformed percent-encoding" };
  // As it is and with look-alikes folded: what a server reads that maps them to ASCII.
  const fault = faultOf(path) ?? faultOf(path.normalize("NFKC"));
  return fault === undefined ? { path } : { ambiguous: fault };
}

function faultOf(path: string): string | undefined {
  if (path.includes("\\")) return "backslash";
  if (path.includes(";")) return "path parameter";
  if (CONTROL.test(path)) return "control character";
  if (PERCENT_ENCODED.test(path)) return "encoded twice";
  if (/[?#]/.test(path)) return "encoded delimiter";
  // Windows drops spaces at the end of a name.
  return path.split("/").some((segment) => DOTS.test(segment)) ? "dot segment" : undefined;
}

/**
 * The loosest reading of a plain path: what a server reads that ignores letter case and doubled slashes, folds letters
 * that look alike (NFKC), or drops dots and spaces at the end of a name, as Windows does.
 */
export function loosePath(path: string): string {
  const folded = path.normalize("NFKC").toUpperCase().toLowerCase();
  return folded.replace(/[. ]+(?=\/|$)/g, "").replace(/\/{2,}/g, "/");
}

function decoded(raw: string): string | undefined {
  try {
    return decodeURIComponent(raw);
  } catch {
    return undefined;
  }
}
