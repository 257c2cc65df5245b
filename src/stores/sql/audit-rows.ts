import type { AuditEntry, Statement } from "../../identity/audit/audit-store.ts";
import type { AuditEntryRow, AuditStatementRow } from "./schema.ts";

export function fromEntryRow(row: AuditEntryRow): AuditEntry {
  return {
    seq: row.seq,
    previousHash: row.previous_hash,
    hash: row.hash,
    atMs: row.at_ms,
    // Whatever stands there is verified with the rest of the entry, not here.
    type: row.type as AuditEntry["type"],
    outcome: row.outcome as AuditEntry["outcome"],
    actorKind: row.actor_kind as AuditEntry["actorKind"],
    actorId: row.actor_id,
    actorName: row.actor_name,
    subject: row.subject,
    requestId: row.request_id,
    address: row.address,
    userAgent: row.user_agent,
    method: row.method,
    path: row.path,
    reason: row.reason,
    count: row.count,
    details: row.details,
  };
}

export function toEntryRow(entry: AuditEntry): AuditEntryRow {
  return {
    seq: entry.seq,
    previous_hash: entry.previousHash,
    hash: entry.hash,
    at_ms: entry.atMs,
    type: entry.type,
    outcome: entry.outcome,
    actor_kind: entry.actorKind,
    actor_id: entry.actorId,
    actor_name: entry.actorName,
    subject: entry.subject,
    request_id: entry.requestId,
    address: entry.address,
    user_agent: entry.userAgent,
    method: entry.method,
    path: entry.path,
    reason: entry.reason,
    count: entry.count,
    details: entry.details,
  };
}

export function fromStatementRow(row: AuditStatementRow): Statement {
  return {
    kind: row.kind as Statement["kind"],
    seq: row.seq,
    hash: row.hash,
    atMs: row.at_ms,
    publicKey: row.public_key,
    signature: row.signature,
  };
}

export function toStatementRow(statement: Statement): AuditStatementRow {
  return {
    kind: statement.kind,
    seq: statement.seq,
    hash: statement.hash,
    at_ms: statement.atMs,
    public_key: statement.publicKey,
    signature: statement.signature,
  };
}
