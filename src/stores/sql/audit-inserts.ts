import type { CompiledQuery, Kysely } from "kysely";
import type { AuditEntry } from "../../identity/audit/audit-store.ts";
import { toEntryRow } from "./audit-rows.ts";
import type { Schema } from "./schema.ts";

/** Rows of one statement. Any number of entries is a few of these: each text is compiled and prepared once. */
const SIZES = [64, 8, 1] as const;

/** Any entry: what is compiled from it has its columns and none of its values. */
const SAMPLE: AuditEntry = {
  seq: 0,
  previousHash: "",
  hash: "",
  atMs: 0,
  type: "auth.logout",
  outcome: "success",
  actorKind: "system",
  actorId: "",
  actorName: "",
  subject: "",
  requestId: "",
  address: "",
  userAgent: "",
  method: "",
  path: "",
  reason: "",
  count: 1,
  details: "",
};

/**
 * The statements that insert entries. Building and compiling a query costs several times what SQLite takes to insert a
 * row, and the trail is written by everything that happens.
 */
export function createEntryInserts(
  db: Kysely<Schema>,
): (entries: readonly AuditEntry[]) => readonly CompiledQuery[] {
  const compiled = SIZES.map((size) => ({
    size,
    query: db
      .insertInto("audit_entries")
      .values(Array.from({ length: size }, () => toEntryRow(SAMPLE)))
      .compile(),
  }));
  return (entries) => {
    const queries: CompiledQuery[] = [];
    let at = 0;
    for (const { size, query } of compiled) {
      for (; entries.length - at >= size; at += size) {
        const rows = entries.slice(at, at + size).map(toEntryRow);
        // Object values come in the order of the columns, which is that of `toEntryRow` for every row.
        queries.push({ ...query, parameters: rows.flatMap((row) => Object.values(row)) });
      }
    }
    return queries;
  };
}
