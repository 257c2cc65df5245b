import { prepareSha256 } from "../../crypto/digest.ts";
import type { AuditEntry, AuditRecord, ChainHead } from "./audit-store.ts";
import { canonicalEntry } from "./canonical.ts";

/** Before the first entry: 32 zero bytes in base64url. */
export const GENESIS: ChainHead = Object.freeze({ seq: 0, hash: "A".repeat(43) });

/** What keeps a hash of an entry from ever being a hash of something else. */
const hashOfEntry = prepareSha256("kyros/audit/entry/v1\n");

/** The hash of an entry in canonical form, which holds the hash of the entry before: SHA-256 in base64url. */
export function entryHash(canonical: string): string {
  return hashOfEntry(canonical);
}

/** The records in their places after `head`, in order. */
export function linkRecords(head: ChainHead, records: readonly AuditRecord[]): readonly AuditEntry[] {
  let { seq, hash } = head;
  return records.map((record) => {
    const unsealed = { ...record, seq: seq + 1, previousHash: hash };
    seq += 1;
    hash = entryHash(canonicalEntry(unsealed));
    return { ...unsealed, hash };
  });
}
