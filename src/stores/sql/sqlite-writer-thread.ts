/** The whole of a thread that has a SQLite file open for writing, and runs one statement after the other on it. */
import type { DatabaseSyncOptions, SQLInputValue, StatementSync } from "node:sqlite";
import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { createWhileBusy } from "./sqlite-busy.ts";
import { describeError } from "./sqlite-errors.ts";
import type { WriterCommand, WriterReply } from "./sqlite-writer.ts";

export interface WriterThreadData {
  readonly file: string;
  readonly options: DatabaseSyncOptions;
}

/** Far more than the stores have texts; a bound all the same, since a statement holds memory of SQLite. */
const MAX_STATEMENTS = 256;

const { file, options } = workerData as WriterThreadData;
const port = parentPort!;
const reply = (message: WriterReply): void => port.postMessage(message);
const statements = new Map<string, StatementSync>();
const whileBusy = createWhileBusy();

function statementOf(database: DatabaseSync, sql: string): StatementSync {
  const known = statements.get(sql);
  if (known !== undefined) return known;
  if (statements.size >= MAX_STATEMENTS) statements.clear();
  const statement = database.prepare(sql);
  statements.set(sql, statement);
  return statement;
}

function run(database: DatabaseSync, sql: string, parameters: readonly SQLInputValue[]): WriterReply {
  const statement = statementOf(database, sql);
  if (statement.columns().length > 0) return { kind: "done", rows: statement.all(...parameters), changes: 0 };
  const { changes } = statement.run(...parameters);
  return { kind: "done", rows: [], changes };
}

async function perform(database: DatabaseSync, command: WriterCommand): Promise<WriterReply> {
  if (command.kind === "close") {
    if (database.isOpen) database.close();
    return { kind: "done", rows: [], changes: 0 };
  }
  // SQLite rolls back by itself on a full disk or an I/O error; there is nothing left to undo then.
  if (command.kind === "rollback" && !(database.isOpen && database.isTransaction))
    return { kind: "done", rows: [], changes: 0 };
  const { sql, parameters } = command.kind === "rollback" ? { sql: "rollback", parameters: [] } : command;
  const attempt = () => run(database, sql, parameters);
  // Within a transaction the lock is held already, and a part of it must not be tried again by itself.
  return database.isOpen && database.isTransaction && sql !== "commit" ? attempt() : await whileBusy(attempt);
}

try {
  const database = new DatabaseSync(file, options);
  port.on("message", (command: WriterCommand) => {
    perform(database, command)
      .catch((error: unknown): WriterReply => ({ kind: "failed", error: describeError(error) }))
      .then((message) => {
        reply(message);
        if (command.kind === "close") port.close();
      });
  });
  reply({ kind: "done", rows: [], changes: 0 });
} catch (error) {
  reply({ kind: "failed", error: describeError(error) });
}
