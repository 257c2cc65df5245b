import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { CompiledQuery, DatabaseConnection, Dialect, Driver, Kysely, QueryResult } from "kysely";
import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import { createWhileBusy } from "./sqlite-busy.ts";
import { toPortError } from "./sqlite-errors.ts";

/** Far more than the stores have texts; a bound all the same, since a statement holds memory of SQLite. */
const MAX_STATEMENTS = 256;

/** DDL is transactional in SQLite: a migration happens wholly or not at all, and in one process at a time. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/** One open database for Kysely, which keeps concurrent users of it apart by a lock of its own. */
class Connection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #onWrite: () => void;
  readonly #statements = new Map<string, StatementSync>();
  readonly #whileBusy = createWhileBusy();

  constructor(database: DatabaseSync, onWrite: () => void) {
    this.#database = database;
    this.#onWrite = onWrite;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const attempt = () => this.#run<R>(query.sql, query.parameters as readonly SQLInputValue[]);
    try {
      if (this.#database.isTransaction) return attempt();
      return await this.#whileBusy(attempt);
    } catch (error) {
      throw toPortError(error);
    } finally {
      if (query.query.kind !== "SelectQueryNode") this.#onWrite();
    }
  }

  /** A deferred transaction could fail halfway when it first writes; an immediate one has its lock from the start. */
  async begin(): Promise<void> {
    await this.#control("begin immediate");
  }

  async commit(): Promise<void> {
    await this.#control("commit");
  }

  /** SQLite rolls back by itself on a full disk or an I/O error; there is nothing left to undo then. */
  async rollback(): Promise<void> {
    if (this.#database.isOpen && this.#database.isTransaction) await this.#control("rollback");
  }

  // biome-ignore lint/correctness/useYield: the interface asks for a generator; no store streams.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("streaming is not supported: DatabaseSync returns whole results");
  }

  async #control(sql: string): Promise<void> {
    try {
      await this.#whileBusy(() => this.#statement(sql).run());
    } catch (error) {
      throw toPortError(error);
    } finally {
      this.#onWrite();
    }
  }

  #run<R>(sql: string, parameters: readonly SQLInputValue[]): QueryResult<R> {
    const statement = this.#statement(sql);
    if (statement.columns().length > 0) return { rows: statement.all(...parameters) as R[] };
    const { changes, lastInsertRowid } = statement.run(...parameters);
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    if (this.#statements.size >= MAX_STATEMENTS) this.#statements.clear();
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/**
 * A Kysely dialect over an open `DatabaseSync`. Every transaction is immediate, and so serializable; waiting for
 * another process's is asynchronous. `onWrite` is called after whatever may have changed the database, before its
 * promise resolves. The database stays its opener's to close.
 */
export function createSqliteDialect(database: DatabaseSync, onWrite: () => void): Dialect {
  const connection = new Connection(database, onWrite);
  const driver: Driver = {
    init: async () => {},
    acquireConnection: async () => connection,
    beginTransaction: () => connection.begin(),
    commitTransaction: () => connection.commit(),
    rollbackTransaction: () => connection.rollback(),
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
