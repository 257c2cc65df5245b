import type { AuditEntry } from "./audit-store.ts";

/** What needs no escape: printable ASCII but the quotation mark and the backslash. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
const ESCAPED = /["\\]|[^\x20-\x7e]/g;

/**
 * A text as a JSON string of printable ASCII: `"` and `\` after a backslash, every other UTF-16 code unit outside
 * U+0020 to U+007E as `\u` and four lower-case hexadecimal digits. So no text can break a line, steer a terminal or
 * turn the direction of what follows, and there is one spelling of each.
 */
export function asciiString(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : `"${text.replace(ESCAPED, escapeUnit)}"`;
}

function escapeUnit(unit: string): string {
  if (unit === '"' || unit === "\\") return `\\${unit}`;
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function orNull(text: string | null): string {
  return text === null ? "null" : asciiString(text);
}

/** The same of a text that is known to be plain. */
function plainOrNull(text: string | null): string {
  return text === null ? "null" : `"${text}"`;
}

/** Whether no text of an entry needs an escape: looked at in one go, as nearly all entries are so. */
function isPlain(entry: Omit<AuditEntry, "hash">): boolean {
  const { actorId, actorName, subject, requestId, address, userAgent, method, path, reason } = entry;
  return PLAIN.test(
    `${actorId}${actorName}${subject}${requestId}${address}${userAgent}${method}${path}${reason}`,
  );
}

/**
 * The canonical form of an entry: one JSON object without white space, all members in this order, `null` where one is
 * absent, numbers as plain integers, texts as `asciiString`. `details` is last and already canonical, so that what
 * stands before it can be told from it whatever it holds. docs/audit.md has it byte for byte.
 */
export function canonicalEntry(entry: Omit<AuditEntry, "hash">): string {
  const text = isPlain(entry) ? plainOrNull : orNull;
  return (
    `{"seq":${entry.seq},"previous":"${entry.previousHash}","at_ms":${entry.atMs},` +
    `"type":"${entry.type}","outcome":"${entry.outcome}",` +
    `"actor":{"kind":"${entry.actorKind}","id":${text(entry.actorId)},"name":${text(entry.actorName)}},` +
    `"subject":${text(entry.subject)},"request_id":${text(entry.requestId)},` +
    `"address":${text(entry.address)},"user_agent":${text(entry.userAgent)},` +
    `"method":${text(entry.method)},"path":${text(entry.path)},"reason":${text(entry.reason)},` +
    `"count":${entry.count},"details":${entry.details ?? "null"}}`
  );
}

export type DetailValue = string | number | boolean | null;

/** A flat object in canonical JSON: members in order of their names by code unit. */
export function canonicalDetails(details: Readonly<Record<string, DetailValue>>): string {
  const members = Object.keys(details)
    .sort()
    .map((name) => `${asciiString(name)}:${canonicalValue(details[name]!)}`);
  return `{${members.join(",")}}`;
}

function canonicalValue(value: DetailValue): string {
  if (typeof value === "string") return asciiString(value);
  return typeof value === "number" && !Number.isFinite(value) ? "null" : String(value);
}
