import type { AuditEntry } from "../identity/audit/audit-store.ts";
import { toRfc3339 } from "../kernel/clock.ts";

/** An entry in the shape that answers and `kyros audit list --json` have. */
export function publicAuditEntry(entry: AuditEntry) {
  return {
    seq: entry.seq,
    at: toRfc3339(entry.atMs),
    type: entry.type,
    outcome: entry.outcome,
    actor: { kind: entry.actorKind, id: entry.actorId, name: entry.actorName },
    subject: entry.subject,
    request_id: entry.requestId,
    address: entry.address,
    user_agent: entry.userAgent,
    method: entry.method,
    path: entry.path,
    reason: entry.reason,
    count: entry.count,
    details: detailsOf(entry.details),
    hash: entry.hash,
  };
}

/** Details that are no JSON have been tampered with: the rest of the trail is shown all the same. */
function detailsOf(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return { unreadable: text };
  }
}
