import type { AuditEntry, AuditQuery, AuditStore, Statement } from "../../identity/audit/audit-store.ts";

/** Before the first entry (GENESIS of identity/audit/chain.ts). */
const NONE = { seq: 0, hash: "A".repeat(43) };

/** The audit trail in memory: gone with the process, and as long as what happened in it. */
export function createMemoryAuditStore(): AuditStore {
  let entries: AuditEntry[] = [];
  let statements: Statement[] = [];

  return {
    async append(link) {
      const added = link(entries.at(-1) ?? NONE);
      entries.push(...added.entries.map((entry) => Object.freeze({ ...entry })));
      statements.push(...added.statements);
    },
    head: async () => {
      const last = entries.at(-1);
      return last && { seq: last.seq, hash: last.hash };
    },
    async entriesAfter(seq, limit) {
      const start = Math.max(0, seq + 1 - (entries[0]?.seq ?? 1));
      return entries.slice(start, start + limit);
    },
    list: async (query) =>
      entries
        .filter((entry) => isWanted(entry, query))
        .sort((a, b) => b.atMs - a.atMs || b.seq - a.seq)
        .slice(0, query.limit),
    statements: async () => statements.toSorted((a, b) => a.seq - b.seq || a.atMs - b.atMs),
    async truncate(record) {
      const before = entries.length;
      statements = [record, ...statements.filter(({ seq }) => seq > record.seq)];
      entries = entries.filter(({ seq }) => seq > record.seq);
      return before - entries.length;
    },
  };
}

function isWanted(entry: AuditEntry, { type, parties, fromMs, toMs, before }: AuditQuery): boolean {
  return (
    (type === undefined || entry.type === type) &&
    (parties === undefined || isAmong(parties, entry.actorId) || isAmong(parties, entry.subject)) &&
    (fromMs === undefined || entry.atMs >= fromMs) &&
    (toMs === undefined || entry.atMs < toMs) &&
    (before === undefined ||
      entry.atMs < before.atMs ||
      (entry.atMs === before.atMs && entry.seq < before.seq))
  );
}

function isAmong(parties: readonly string[], id: string | null): boolean {
  return id !== null && parties.includes(id);
}
