/** The whole of a thread that has a SQLite file open for writing, and runs one statement after the other on it. */
import type { StatementSync } from "node:sqlite";
import { DatabaseSync } from "node:sqlite";
import { parentPort } from "node:worker_threads";
import { createWhileBusy } from "./sqlite-busy.ts";
import { describeError } from "./sqlite-errors.ts";
import type { WriterCommand, WriterReply, WriterStatement } from "./sqlite-writer-calls.ts";

/** Far more than the stores have texts; a bound all the same, since a statement holds memory of SQLite. */
const MAX_STATEMENTS = 256;

type Done = Extract<WriterReply, { kind: "done" }>;
type Transact = Extract<WriterCommand, { kind: "transact" }>;

const BEGIN: WriterStatement = { sql: "begin immediate", parameters: [] };
const COMMIT: WriterStatement = { sql: "commit", parameters: [] };
const ROLLBACK: WriterStatement = { sql: "rollback", parameters: [] };
const NOTHING: Done = { kind: "done", rows: [], changes: 0 };

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

function run(database: DatabaseSync, { sql, parameters }: WriterStatement): Done {
  const statement = statementOf(database, sql);
  if (statement.columns().length > 0) return { kind: "done", rows: statement.all(...parameters), changes: 0 };
  const { changes } = statement.run(...parameters);
  return { kind: "done", rows: [], changes };
}

async function transact(database: DatabaseSync, { guard, rest }: Transact): Promise<WriterReply> {
  await whileBusy(() => run(database, BEGIN));
  try {
    const outcome = run(database, guard);
    if (outcome.changes > 0) for (const statement of rest) run(database, statement);
    await whileBusy(() => run(database, COMMIT));
    return outcome;
  } catch (error) {
    if (database.isOpen && database.isTransaction) run(database, ROLLBACK);
    throw error;
  }
}

async function perform(database: DatabaseSync, command: WriterCommand): Promise<WriterReply> {
  switch (command.kind) {
    case "open":
      throw new Error("a thread has one file");
    case "run": {
      const attempt = () => run(database, command);
      // Within a transaction the lock is held already, and a part of it must not be tried again by itself.
      const isPart = database.isOpen && database.isTransaction && command.sql !== COMMIT.sql;
      return isPart ? attempt() : await whileBusy(attempt);
    }
    case "transact":
      return await transact(database, command);
    case "rollback":
      // SQLite rolls back by itself on a full disk or an I/O error; there is nothing left to undo then.
      return database.isOpen && database.isTransaction ? run(database, ROLLBACK) : NOTHING;
    case "close":
      if (database.isOpen) database.close();
      return NOTHING;
  }
}

/** The first command is to open a file. */
function open(command: WriterCommand): void {
  try {
    if (command.kind !== "open") throw new Error("no file is open");
    const database = new DatabaseSync(command.file, command.options);
    port.on("message", (next: WriterCommand) => {
      perform(database, next)
        .catch((error: unknown): WriterReply => ({ kind: "failed", error: describeError(error) }))
        .then((message) => {
          reply(message);
          if (next.kind === "close") port.close();
        });
    });
    reply(NOTHING);
  } catch (error) {
    reply({ kind: "failed", error: describeError(error) });
  }
}

port.once("message", open);
