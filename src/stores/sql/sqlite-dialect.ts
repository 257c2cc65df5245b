import type { SQLInputValue } from "node:sqlite";
import type { CompiledQuery, DatabaseConnection, Dialect, Driver, Kysely, QueryResult } from "kysely";
import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import { toPortError } from "./sqlite-errors.ts";
import type { SqliteWriter, WriterTurn } from "./sqlite-writer.ts";

/** DDL is transactional in SQLite: a migration happens wholly or not at all, and in one process at a time. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/** A turn at the one connection that writes, for Kysely, which keeps its users apart by a lock of its own. */
class Connection implements DatabaseConnection {
  readonly #turn: WriterTurn;
  readonly #onWrite: () => void;

  constructor(turn: WriterTurn, onWrite: () => void) {
    this.#turn = turn;
    this.#onWrite = onWrite;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    try {
      const { rows, changes } = await this.#turn.run(query.sql, query.parameters as readonly SQLInputValue[]);
      return { rows: rows as R[], numAffectedRows: BigInt(changes) };
    } catch (error) {
      throw toPortError(error);
    } finally {
      if (query.query.kind !== "SelectQueryNode") this.#onWrite();
    }
  }

  /** A deferred transaction could fail halfway when it first writes; an immediate one has its lock from the start. */
  begin(): Promise<void> {
    return this.#control(() => this.#turn.run("begin immediate"));
  }

  commit(): Promise<void> {
    return this.#control(() => this.#turn.run("commit"));
  }

  rollback(): Promise<void> {
    return this.#control(() => this.#turn.rollback());
  }

  // biome-ignore lint/correctness/useYield: the interface asks for a generator; no store streams.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("streaming is not supported: the writer returns whole results");
  }

  async #control(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (error) {
      throw toPortError(error);
    } finally {
      this.#onWrite();
    }
  }
}

/**
 * A Kysely dialect over a writer. Every transaction is immediate, and so serializable. `onWrite` is called after whatever may have changed the database, before its
 * promise resolves. The writer stays its opener's to close.
 */
export function createSqliteDialect(writer: SqliteWriter, onWrite: () => void): Dialect {
  const driver: Driver = {
    init: async () => {},
    acquireConnection: async () => new Connection(writer.turn(), onWrite),
    beginTransaction: (connection) => (connection as Connection).begin(),
    commitTransaction: (connection) => (connection as Connection).commit(),
    rollbackTransaction: (connection) => (connection as Connection).rollback(),
    releaseConnection: async () => {},
    destroy: async () => {},
  };
  return {
    createAdapter: () => new TransactionalSqliteAdapter(),
    createDriver: () => driver,
    createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}
