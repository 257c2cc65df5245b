import type { AuditRecord, AuditStore, ChainHead } from "../identity/audit/audit-store.ts";
import { linkRecords } from "../identity/audit/chain.ts";
import { SAMPLE_NOW_MS, sampleId } from "./samples.ts";

/** The `n`th sample of a record: one millisecond after the one before. */
export function sampleRecord(n: number, parts: Partial<AuditRecord> = {}): AuditRecord {
  return {
    atMs: SAMPLE_NOW_MS + n,
    type: "auth.login.succeeded",
    outcome: "success",
    actorKind: "user",
    actorId: sampleId(n % 3),
    actorName: `User${n % 3}`,
    subject: sampleId(n % 3),
    requestId: sampleId(1000 + n),
    address: "192.0.2.1",
    userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    method: "POST",
    path: "/auth/login",
    reason: null,
    count: 1,
    details: null,
    ...parts,
  };
}

/** Appends records as the trail does, without statements. */
export function appendRecords(store: AuditStore, records: readonly AuditRecord[]): Promise<void> {
  return store.append((head: ChainHead) => ({ entries: linkRecords(head, records), statements: [] }));
}
