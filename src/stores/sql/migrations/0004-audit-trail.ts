import type { Kysely } from "kysely";
import { sql } from "kysely";
import type { Migration } from "kysely/migration";
import { columnTypes, createTable } from "./dialect.ts";

/**
 * The audit trail: entries, signed statements on them, and the chain's head. Nothing of a caller's is read on the way
 * of a request, so that no change journal is kept of these tables.
 */
export const auditTrail: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const { text, integer } = columnTypes(db);
    await createTable(db, "audit_entries")
      .addColumn("seq", integer, (column) => column.notNull().primaryKey())
      .addColumn("previous_hash", text, (column) => column.notNull())
      .addColumn("hash", text, (column) => column.notNull())
      .addColumn("at_ms", integer, (column) => column.notNull())
      .addColumn("type", text, (column) => column.notNull())
      .addColumn("outcome", text, (column) => column.notNull())
      .addColumn("actor_kind", text, (column) => column.notNull())
      .addColumn("actor_id", text)
      .addColumn("actor_name", text)
      .addColumn("subject", text)
      .addColumn("request_id", text)
      .addColumn("address", text)
      .addColumn("user_agent", text)
      .addColumn("method", text)
      .addColumn("path", text)
      .addColumn("reason", text)
      .addColumn("count", integer, (column) => column.notNull())
      .addColumn("details", text)
      .execute();
    await createTable(db, "audit_statements")
      .addColumn("kind", text, (column) => column.notNull())
      .addColumn("seq", integer, (column) => column.notNull())
      .addColumn("hash", text, (column) => column.notNull())
      .addColumn("at_ms", integer, (column) => column.notNull())
      .addColumn("public_key", text, (column) => column.notNull())
      .addColumn("signature", text, (column) => column.notNull())
      .addPrimaryKeyConstraint("audit_statements_key", ["seq", "kind"])
      .execute();
    await createTable(db, "audit_head")
      .addColumn("id", integer, (column) => column.notNull().primaryKey().check(sql`id = 1`))
      .addColumn("seq", integer, (column) => column.notNull())
      .addColumn("hash", text, (column) => column.notNull())
      .execute();
    // Before the first entry: 32 zero bytes in base64url (GENESIS of identity/audit/chain.ts).
    await sql`insert into audit_head (id, seq, hash) values (1, 0, ${sql.lit("A".repeat(43))})`.execute(db);
    await createIndexes(db);
  },
};

/** What a page is filtered by, each ending in its order: any filter then reads a page's worth of rows and no more. */
async function createIndexes(db: Kysely<unknown>): Promise<void> {
  const order = ["at_ms", "seq"];
  const indexes: Readonly<Record<string, readonly string[]>> = {
    audit_entries_at: order,
    audit_entries_type: ["type", ...order],
    audit_entries_actor: ["actor_id", ...order],
    audit_entries_actor_type: ["actor_id", "type", ...order],
    audit_entries_subject: ["subject", ...order],
    audit_entries_subject_type: ["subject", "type", ...order],
  };
  for (const [name, columns] of Object.entries(indexes)) {
    await db.schema
      .createIndex(name)
      .on("audit_entries")
      .columns([...columns])
      .execute();
  }
}
