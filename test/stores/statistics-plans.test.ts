import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { it } from "node:test";
import type { CompiledQuery } from "kysely";
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import type { Schema } from "../../src/stores/sql/schema.ts";
import { keysQuery, sessionsQuery, signInsQuery, usersQuery } from "../../src/stores/sql/statistics-store.ts";
import { createDatabase, temporaryDirectory } from "./temporary-stores.ts";

const db = new Kysely<Schema>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (one) => new SqliteIntrospector(one),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});

it("each number of the statistics is a walk along an index, with no sorting, that ends at its limit", async () => {
  const { directory, remove } = temporaryDirectory();
  const database = new DatabaseSync(await createDatabase(directory));
  const PLANS: readonly (readonly [{ compile(): CompiledQuery<unknown> }, RegExp])[] = [
    [usersQuery(db, "user", 10), /SEARCH accounts USING INDEX accounts_role/],
    [sessionsQuery(db, 1, 10), /SEARCH sessions USING INDEX sessions_idle_expiry/],
    [keysQuery(db, 1, 2, 10), /SCAN api_keys USING INDEX sqlite_autoindex_api_keys/],
    [
      signInsQuery(db, "auth.login.failed", 1, 10),
      /SEARCH audit_entries USING INDEX audit_entries_type \(type=\? AND at_ms>\?\)/,
    ],
  ];
  try {
    for (const [query, expected] of PLANS) {
      const { sql, parameters } = query.compile();
      assert.match(sql, / limit \?/);
      const rows = database.prepare(`explain query plan ${sql}`).all(...(parameters as number[]));
      const plan = rows.map((row) => row["detail"]).join("; ");
      assert.match(plan, expected);
      assert.doesNotMatch(plan, /TEMP B-TREE/);
    }
  } finally {
    database.close();
    remove();
  }
});
