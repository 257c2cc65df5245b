import type { AuditEvent } from "../../kernel/audit-event.ts";
import type { AuditRecord } from "./audit-store.ts";
import { canonicalDetails, type DetailValue } from "./canonical.ts";

/** Callers choose these texts: an entry stays an entry's worth whatever they send (UTF-16 code units). */
const MOST_TEXT = 256;
const MOST_DETAILS = 16;

/** An event as the trail keeps it. `count` is how many facts it stands for. */
export function toRecord(event: AuditEvent, count = 1): AuditRecord {
  const { actor } = event;
  const named = actor.kind === "user" || actor.kind === "api_key" ? actor : undefined;
  return {
    atMs: Math.trunc(event.atMs),
    type: event.name,
    outcome: event.outcome,
    actorKind: actor.kind,
    actorId: kept(named?.id),
    actorName: kept(named?.name),
    subject: kept(event.subject),
    requestId: kept(event.requestId),
    address: kept(event.address),
    userAgent: kept(event.userAgent),
    method: kept(event.method),
    path: kept(event.path),
    reason: kept(event.reason),
    count,
    details: event.details === undefined ? null : canonicalDetails(keptDetails(event.details)),
  };
}

function keptDetails(details: NonNullable<AuditEvent["details"]>): Record<string, DetailValue> {
  return Object.fromEntries(
    Object.entries(details)
      .slice(0, MOST_DETAILS)
      .map(([name, value]) => [keptText(name), typeof value === "string" ? keptText(value) : value]),
  );
}

function kept(text: string | undefined): string | null {
  return text === undefined ? null : keptText(text);
}

/** Every database gives back what was put in: no lone surrogates, which UTF-8 lacks, and no NUL, which PostgreSQL lacks. */
function keptText(text: string): string {
  return text.slice(0, MOST_TEXT).toWellFormed().replaceAll("\0", "\ufffd");
}
