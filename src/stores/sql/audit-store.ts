import type { CompiledQuery, Kysely, SelectQueryBuilder } from "kysely";
import type {
  Appendix,
  AuditEntry,
  AuditQuery,
  AuditStore,
  ChainHead,
  Statement,
} from "../../identity/audit/audit-store.ts";
import { createEntryInserts } from "./audit-inserts.ts";
import { fromEntryRow, fromStatementRow, toStatementRow } from "./audit-rows.ts";
import type { SqlDatabase } from "./database.ts";
import { PURGE_BATCH, purgeInBatches } from "./purge.ts";
import type { AuditEntryRow, Schema } from "./schema.ts";

/** The audit trail in a SQL database. */
export function createSqlAuditStore({ db, transact }: Pick<SqlDatabase, "db" | "transact">): AuditStore {
  const insertsOf = createEntryInserts(db);
  /** Where this process last left the head, or is about to. */
  let expected: ChainHead | undefined;

  /**
   * The lock that keeps the chain from forking is that of the head's row: an update takes it in any database, and where
   * another append holds it, waits for that one's commit and reads what it left. (Not `serializable`, in which
   * PostgreSQL would refuse in place of waiting.)
   */
  function appendToHead(link: (head: ChainHead) => Appendix): Promise<ChainHead> {
    return db.transaction().execute(async (trx) => {
      const row = await trx
        .updateTable("audit_head")
        .set((column) => ({ seq: column.ref("seq") }))
        .where("id", "=", 1)
        .returning(["seq", "hash"])
        .executeTakeFirstOrThrow();
      const head = { seq: row.seq, hash: row.hash };
      const appendix = link(head);
      for (const query of [...writesOf(appendix), moveHead(head, appendix)]) await trx.executeQuery(query);
      return headAfter(head, appendix);
    });
  }

  /**
   * Links to where the head should be, while the append before may still be on its way to the disk. Where the head is
   * elsewhere, as another process appended or an append failed, nothing is written.
   */
  async function append(link: (head: ChainHead) => Appendix): Promise<void> {
    if (transact !== undefined && expected !== undefined) {
      const head = expected;
      const appendix = link(head);
      expected = headAfter(head, appendix);
      if (await transact(moveHead(head, appendix), writesOf(appendix))) return;
    }
    expected = undefined;
    expected = await appendToHead(link);
  }

  function moveHead(from: ChainHead, appendix: Appendix): CompiledQuery {
    return db
      .updateTable("audit_head")
      .set({ ...headAfter(from, appendix) })
      .where("id", "=", 1)
      .where("seq", "=", from.seq)
      .where("hash", "=", from.hash)
      .compile();
  }

  function writesOf({ entries, statements }: Appendix): readonly CompiledQuery[] {
    const inserts = insertsOf(entries);
    if (statements.length === 0) return inserts;
    return [...inserts, db.insertInto("audit_statements").values(statements.map(toStatementRow)).compile()];
  }

  async function head(): Promise<ChainHead | undefined> {
    const row = await db.selectFrom("audit_head").select(["seq", "hash"]).executeTakeFirst();
    return row === undefined || row.seq === 0 ? undefined : { seq: row.seq, hash: row.hash };
  }

  async function entriesAfter(seq: number, limit: number): Promise<readonly AuditEntry[]> {
    const rows = await db
      .selectFrom("audit_entries")
      .selectAll()
      .where("seq", ">", seq)
      .orderBy("seq")
      .limit(limit)
      .execute();
    return rows.map(fromEntryRow);
  }

  async function list(query: AuditQuery): Promise<readonly AuditEntry[]> {
    const page = pageOf(db, query);
    const { parties, limit } = query;
    if (parties === undefined) return (await page.execute()).map(fromEntryRow);
    // A walk along an index for each, in place of an OR that would have to sort all that any of them finds.
    const distinct = new Map<number, AuditEntry>();
    for (const party of parties) {
      for (const column of ["actor_id", "subject"] as const) {
        const rows = await page.where(column, "=", party).execute();
        for (const row of rows) distinct.set(row.seq, fromEntryRow(row));
      }
    }
    return [...distinct.values()].sort((a, b) => b.atMs - a.atMs || b.seq - a.seq).slice(0, limit);
  }

  async function statements(): Promise<readonly Statement[]> {
    const rows = await db
      .selectFrom("audit_statements")
      .selectAll()
      .orderBy("seq")
      .orderBy("at_ms")
      .execute();
    return rows.map(fromStatementRow);
  }

  async function truncate(record: Statement): Promise<number> {
    await db.transaction().execute(async (trx) => {
      await trx.deleteFrom("audit_statements").where("seq", "<=", record.seq).execute();
      await trx.insertInto("audit_statements").values(toStatementRow(record)).execute();
    });
    // The record holds from its commit on: what a crash leaves behind of the rest is in nobody's way.
    return purgeInBatches(async () => {
      const old = db
        .selectFrom("audit_entries")
        .select("seq")
        .where("seq", "<=", record.seq)
        .orderBy("seq")
        .limit(PURGE_BATCH);
      return (await db.deleteFrom("audit_entries").where("seq", "in", old).executeTakeFirst()).numDeletedRows;
    });
  }

  return { append, head, entriesAfter, list, statements, truncate };
}

function headAfter(head: ChainHead, { entries }: Appendix): ChainHead {
  const { seq, hash } = entries.at(-1) ?? head;
  return { seq, hash };
}

function pageOf(
  db: Kysely<Schema>,
  { type, fromMs, toMs, before, limit }: AuditQuery,
): SelectQueryBuilder<Schema, "audit_entries", AuditEntryRow> {
  let page = db
    .selectFrom("audit_entries")
    .selectAll()
    .orderBy("at_ms", "desc")
    .orderBy("seq", "desc")
    .limit(limit);
  if (type !== undefined) page = page.where("type", "=", type);
  if (fromMs !== undefined) page = page.where("at_ms", ">=", fromMs);
  if (toMs !== undefined) page = page.where("at_ms", "<", toMs);
  if (before === undefined) return page;
  const { atMs, seq } = before;
  return page.where(({ eb, refTuple, tuple }) => eb(refTuple("at_ms", "seq"), "<", tuple(atMs, seq)));
}
