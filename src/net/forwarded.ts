import { canonicalAddress } from "./address.ts";

/** What one proxy says of the request it received (RFC 7239 section 4). */
export interface ForwardedHop {
  /** Canonical address of whoever it received it from; absent where it keeps that to itself (`unknown`, `_name`). */
  readonly address?: string;
  readonly scheme?: "http" | "https";
  /** The host that was asked for, as the proxy wrote it: not validated. */
  readonly host?: string;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const QUOTED = '"((?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\uffff]|\\\\[\\t -\\x7e\\x80-\\uffff])*)"';
const PAIR = new RegExp(`^(${TOKEN})=(?:(${TOKEN})|${QUOTED})$`);
const PORT = "(?::(?:[0-9]{1,5}|_[A-Za-z0-9._-]+))?";
const NODE = new RegExp(`^(?:([0-9.]+)|\\[([0-9A-Fa-f:.]+)\\]|(unknown|_[A-Za-z0-9._-]+))${PORT}$`, "i");
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * The elements of a `Forwarded` header from the last to the first, `undefined` for a malformed one (RFC 7239). It is
 * read from its right end because that is the end trusted proxies write: an unclosed quote that a client sends can
 * then not swallow what a proxy appended to it.
 */
export function* forwardedFromRight(lines: readonly string[]): Generator<ForwardedHop | undefined> {
  for (const element of elementsFromRight(lines)) yield parseElement(element);
}

/** The entries of `X-Forwarded-For` from the last to the first: canonical addresses, `undefined` for malformed ones. */
export function* forwardedForFromRight(lines: readonly string[]): Generator<string | undefined> {
  for (const element of elementsFromRight(lines)) {
    yield canonicalAddress(element) ?? parseNode(element)?.address;
  }
}

/** A scheme as proxies name it, any case; those of a WebSocket handshake are those of the request it began as. */
export function parseScheme(text: string): "http" | "https" | undefined {
  const scheme = text.toLowerCase();
  if (scheme === "https" || scheme === "wss") return "https";
  return scheme === "http" || scheme === "ws" ? "http" : undefined;
}

function* elementsFromRight(lines: readonly string[]): Generator<string> {
  for (let n = lines.length - 1; n >= 0; n--) {
    const line = lines[n]!;
    let end = line.length;
    while (end >= 0) {
      const start = separatorBefore(line, end, COMMA);
      yield trimOws(line.slice(start + 1, end));
      end = start;
    }
  }
}

/** Index of the last separator before `end` that is not inside a quoted string, looking from the right; or -1. */
function separatorBefore(text: string, end: number, separator: number): number {
  let quoted = false;
  for (let i = end - 1; i >= 0; i--) {
    const code = text.charCodeAt(i);
    if (code === QUOTE && !isEscaped(text, i)) quoted = !quoted;
    else if (code === separator && !quoted) return i;
  }
  return -1;
}

function isEscaped(text: string, index: number): boolean {
  let first = index;
  while (first > 0 && text.charCodeAt(first - 1) === BACKSLASH) first--;
  return ((index - first) & 1) === 1;
}

/** Optional whitespace (RFC 9110 section 5.6.3): space and tab, not what JavaScript calls white. */
export function trimOws(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isOws(text.charCodeAt(start))) start++;
  while (end > start && isOws(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isOws(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** One element; a parameter that comes twice makes it malformed (RFC 7239 section 4), as does one of bad form. */
function parseElement(element: string): ForwardedHop | undefined {
  const values = new Map<string, string>();
  let end = element.length;
  while (end >= 0) {
    const start = separatorBefore(element, end, SEMICOLON);
    const pair = trimOws(element.slice(start + 1, end));
    end = start;
    // Empty pairs are allowed by the grammar.
    if (pair === "") continue;
    const match = PAIR.exec(pair);
    if (!match) return undefined;
    const name = match[1]!.toLowerCase();
    if (values.has(name)) return undefined;
    values.set(name, match[2] ?? match[3]!.replace(/\\(.)/g, "$1"));
  }
  const node = parseNode(values.get("for") ?? "unknown");
  if (node === undefined) return undefined;
  const scheme = parseScheme(values.get("proto") ?? "");
  const host = values.get("host");
  return { ...node, ...(scheme !== undefined && { scheme }), ...(host !== undefined && { host }) };
}

/** A node (RFC 7239 section 6) without its port; `{}` for one that is not to be known. */
function parseNode(text: string): { readonly address?: string } | undefined {
  const match = NODE.exec(text);
  if (!match) return undefined;
  if (match[3] !== undefined) return {};
  const bracketed = match[2];
  // Brackets are for IPv6 alone, and IPv6 without them cannot be told from its port.
  if (bracketed !== undefined && !bracketed.includes(":")) return undefined;
  const address = canonicalAddress(bracketed ?? match[1]!);
  return address === undefined ? undefined : { address };
}
