import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { CompiledQuery, DatabaseConnection, Dialect, QueryResult } from "kysely";
import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import { toPortError } from "./sqlite-errors.ts";

/** The stores have some twenty; lists of different lengths make more. */
const MOST_STATEMENTS = 100;

/**
 * A Kysely dialect over a connection that only reads: a query runs at once and in this thread, as of the last commit. It
 * has no transactions. The connection stays its opener's to close.
 */
export function createSqliteReaderDialect(reader: DatabaseSync): Dialect {
  const statements = new Map<string, StatementSync>();

  function prepare(sql: string): StatementSync {
    let statement = statements.get(sql);
    if (statement === undefined) {
      statement = reader.prepare(sql);
      if (statements.size >= MOST_STATEMENTS) statements.clear();
      statements.set(sql, statement);
    }
    return statement;
  }

  const connection: DatabaseConnection = {
    async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
      try {
        return { rows: prepare(sql).all(...(parameters as readonly SQLInputValue[])) as R[] };
      } catch (error) {
        throw toPortError(error);
      }
    },
    // biome-ignore lint/correctness/useYield: the interface asks for a generator; no store streams.
    async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
      throw new Error("streaming is not supported: the reader returns whole results");
    },
  };
  const refuse = async (): Promise<never> => {
    throw new Error("a transaction belongs to the connection that writes");
  };
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => ({
      init: async () => {},
      acquireConnection: async () => connection,
      beginTransaction: refuse,
      commitTransaction: refuse,
      rollbackTransaction: refuse,
      releaseConnection: async () => {},
      destroy: async () => {},
    }),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}
