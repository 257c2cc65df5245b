/** Stands in a policy's sources where the response's nonce goes; without one it is left out. */
export const NONCE = Symbol("nonce");

/** A policy as data: directive to its sources; an empty list where the directive takes none. */
export type CspDirectives = Readonly<Record<string, readonly (string | typeof NONCE)[]>>;

/** A policy compiled to the text of its header. */
export interface ContentSecurityPolicy {
  readonly value: string;
  /** Whether a nonce has a place in it. */
  readonly takesNonce: boolean;
  /** The text with a nonce (base64 or base64url) in the places that take one; throws where the policy has none. */
  withNonce(nonce: string): string;
}

/** Where browsers report violations to, for those that know `Reporting-Endpoints` and those that do not yet. */
export const CSP_REPORT_PATH = "/security/csp-report";
export const CSP_REPORT_GROUP = "csp-endpoint";

const KEYWORDS: ReadonlySet<string> = new Set([
  "none",
  "self",
  "unsafe-inline",
  "unsafe-eval",
  "unsafe-hashes",
  "wasm-unsafe-eval",
  "strict-dynamic",
  "report-sample",
  "inline-speculation-rules",
]);

/** The directives of CSP Level 3 and its companions that need a value, and those that may stand without. */
const VALUED: ReadonlySet<string> = new Set([
  "default-src",
  "script-src",
  "script-src-elem",
  "script-src-attr",
  "style-src",
  "style-src-elem",
  "style-src-attr",
  "img-src",
  "font-src",
  "connect-src",
  "media-src",
  "object-src",
  "frame-src",
  "child-src",
  "worker-src",
  "manifest-src",
  "base-uri",
  "form-action",
  "frame-ancestors",
  "require-trusted-types-for",
]);
const BARE: ReadonlySet<string> = new Set(["sandbox", "upgrade-insecure-requests", "trusted-types"]);

/**
 * Compiles a policy (CSP Level 3), with the report destination appended (ASVS V3.4.7). Throws `TypeError` that names
 * the likely slip: an unknown directive, an unquoted keyword, `'none'` beside others, a character that would end the
 * directive or the header.
 */
export function compileContentSecurityPolicy(directives: CspDirectives): ContentSecurityPolicy {
  const entries = Object.entries(directives);
  if (entries.length === 0) throw new TypeError("A Content-Security-Policy needs at least one directive");
  for (const [name, sources] of entries) {
    const fault = directiveFault(name, sources);
    if (fault !== undefined) throw new TypeError(`Content-Security-Policy: ${fault}`);
  }
  const render = (nonce: string | undefined) =>
    [
      ...entries.map(([name, sources]) => renderDirective(name, sources, nonce)),
      `report-uri ${CSP_REPORT_PATH}`,
      `report-to ${CSP_REPORT_GROUP}`,
    ].join("; ");
  // Cut where the nonce goes, by a character that no source can contain.
  const pieces = render("\0").split("\0");
  return {
    value: render(undefined),
    takesNonce: pieces.length > 1,
    withNonce(nonce) {
      if (pieces.length === 1)
        throw new TypeError("This Content-Security-Policy has no NONCE in its sources");
      return pieces.join(nonce);
    },
  };
}

function renderDirective(name: string, sources: CspDirectives[string], nonce: string | undefined): string {
  const written = sources.flatMap((source) => {
    if (typeof source === "string") return [source];
    return nonce === undefined ? [] : [`'nonce-${nonce}'`];
  });
  if (written.length === 0 && VALUED.has(name)) written.push("'none'");
  return [name, ...written].join(" ");
}

function directiveFault(name: string, sources: CspDirectives[string]): string | undefined {
  if (name === "report-uri" || name === "report-to") return `${name} is set already, to ${CSP_REPORT_PATH}`;
  if (!VALUED.has(name) && !BARE.has(name))
    return `unknown directive ${JSON.stringify(name)}${suggestion(name)}`;
  if (VALUED.has(name) && sources.length === 0)
    return `${name} needs a source; write "'none'" to allow nothing`;
  for (const source of sources) {
    const fault = typeof source === "string" ? sourceFault(name, source) : undefined;
    if (fault !== undefined) return fault;
  }
  if (sources.includes("'none'") && sources.length > 1) return `${name} has 'none' beside other sources`;
  return undefined;
}

function suggestion(name: string): string {
  const kebab = name
    .trim()
    .replace(/([a-z])([A-Z])/g, "$1-$2")
    .replaceAll("_", "-")
    .toLowerCase();
  return VALUED.has(kebab) || BARE.has(kebab) ? `; did you mean ${kebab}?` : "";
}

function sourceFault(name: string, source: string): string | undefined {
  const quoted = JSON.stringify(source);
  if (!/^[\x21-\x2b\x2d-\x3a\x3c-\x7e]+$/.test(source)) {
    return `${name} has ${quoted}; a source has no space, comma, semicolon or special character`;
  }
  const bare = source.replaceAll("'", "").toLowerCase();
  if (/^nonce-/.test(bare))
    return `${name} has a constant nonce; put NONCE there, to get a fresh one a response`;
  const isQuoted = /^'[^']+'$/.test(source);
  if (KEYWORDS.has(bare) && !isQuoted) return `${name} has ${quoted} without quotes; write "'${bare}'"`;
  if (/^sha(256|384|512)-/.test(bare) && !isQuoted) {
    return `${name} has the hash ${quoted} without quotes; write "'${source}'"`;
  }
  if (isQuoted && !KEYWORDS.has(bare) && !/^(sha(256|384|512)-|script$|allow-duplicates$)/.test(bare)) {
    return `${name} has the unknown keyword ${quoted}`;
  }
  return source.includes("'") && !isQuoted ? `${name} has ${quoted} with a stray quote` : undefined;
}
