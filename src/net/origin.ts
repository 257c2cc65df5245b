/** Texts that are no origins; `faults` has one line for each. */
export class OriginFault extends Error {
  override readonly name = "OriginFault";
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join("; "));
    this.faults = faults;
  }
}

/**
 * Reads a list of exact web origins (RFC 6454 section 6.2): `scheme://host[:port]` in the one spelling that browsers
 * send, so that a comparison is one lookup and a misspelt entry is found at the start, not in production. `*`, `null`
 * and patterns are not origins. Throws `OriginFault` with all faults at once.
 */
export function parseOrigins(texts: readonly string[]): ReadonlySet<string> {
  const faults = texts.map(originFault).filter((fault) => fault !== undefined);
  if (faults.length > 0) throw new OriginFault(faults);
  return new Set(texts);
}

function originFault(text: string): string | undefined {
  const quoted = JSON.stringify(text);
  if (text === "*") return '"*" is no origin; list the exact origins';
  if (text === "null") return '"null" is every sandboxed page at once; list the exact origins';
  if (text.includes("*")) return `${quoted} is a pattern; list the exact origins`;
  if (!URL.canParse(text)) return `${quoted} is no origin; write scheme://host or scheme://host:port`;
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    return `${quoted} is no web origin; it must begin with https:// or http://`;
  }
  return url.origin === text ? undefined : `${quoted} is not how browsers write it; write ${url.origin}`;
}
