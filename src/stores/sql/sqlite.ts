import { accessSync, chmodSync, closeSync, constants, openSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { SQLInputValue } from "node:sqlite";
import { DatabaseSync } from "node:sqlite";
import type { CompiledQuery } from "kysely";
import { Kysely } from "kysely";
import { makeDirectory } from "../../kernel/make-directory.ts";
import { DatabaseFault } from "../database-fault.ts";
import type { SqlDatabase } from "./database.ts";
import { createLiveReads, expectChanges } from "./live-reads.ts";
import type { Schema } from "./schema.ts";
import { createSqliteDialect } from "./sqlite-dialect.ts";
import {
  primaryCode,
  SQLITE_CANTOPEN,
  SQLITE_CORRUPT,
  SQLITE_NOTADB,
  SQLITE_READONLY,
  toPortError,
} from "./sqlite-errors.ts";
import { createSqliteReaderDialect } from "./sqlite-reader-dialect.ts";
import type { SqliteWriter, SqliteWriterOptions, WriterTurn } from "./sqlite-writer.ts";
import { openSqliteWriter } from "./sqlite-writer.ts";
import type { WriterStatement } from "./sqlite-writer-calls.ts";

/** A reader hardly ever waits: in WAL mode only while another process recovers or closes the file. */
const READER_TIMEOUT_MS = 5000;

const OPTIONS = {
  enableForeignKeyConstraints: true,
  enableDoubleQuotedStringLiterals: false,
  allowExtension: false,
  defensive: true,
} as const;

/**
 * `synchronous = full` in WAL mode: a commit is on the disk before it is acknowledged. The file is not trusted with
 * code (`trusted_schema`), nor to be whole (`cell_size_check`). See https://www.sqlite.org/security.html.
 */
const WRITER_PRAGMAS = [
  "pragma synchronous = full",
  "pragma trusted_schema = off",
  "pragma cell_size_check = on",
];
/** 16 MiB of pages hold the upper levels of every index of a million sessions. */
const READER_PRAGMAS =
  "pragma query_only = on; pragma cache_size = -16000; pragma trusted_schema = off; pragma cell_size_check = on";

export interface SqliteDatabase extends SqlDatabase {
  /** Throws `Outage` where the file cannot be read, or its writing thread has died or is late with an answer. */
  probe(): void;
  /** Runs `work` with time for a migration. */
  migrating<T>(work: (db: Kysely<Schema>) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * Opens a SQLite file, creating it (0600) and its directory (0700) where they are not there: one connection that
 * writes, in a thread of its own, and one that only reads. Throws `DatabaseFault` where the path cannot be used or the
 * file is no database, and `Outage` where another process holds it for too long.
 */
export async function openSqlite(
  path: string,
  thread: Pick<SqliteWriterOptions, "startThread" | "answerMs"> = {},
): Promise<SqliteDatabase> {
  const file = resolve(path);
  claimFile(file, path);
  let writer: SqliteWriter | undefined;
  let reader: DatabaseSync | undefined;
  try {
    writer = await openSqliteWriter({
      ...thread,
      file,
      options: { ...OPTIONS, timeout: 0 },
      async prepare(run) {
        await useWal(run, path);
        for (const pragma of WRITER_PRAGMAS) await run(pragma);
      },
    });
    reader = new DatabaseSync(file, { ...OPTIONS, readOnly: true, timeout: READER_TIMEOUT_MS });
    reader.exec(READER_PRAGMAS);
  } catch (error) {
    reader?.close();
    await writer?.close();
    throw toOpenError(error, path);
  }
  return assemble(writer, reader);
}

function assemble(writer: SqliteWriter, reader: DatabaseSync): SqliteDatabase {
  const reads = createLiveReads(reader);
  const db = new Kysely<Schema>({ dialect: createSqliteDialect(writer, expectChanges) });
  return {
    db,
    reader: new Kysely<Schema>({ dialect: createSqliteReaderDialect(reader) }),
    reads,
    // By Kysely's one connection: it keeps transactions of several calls apart from this one.
    transact: (guard, rest) =>
      db.connection().execute(async () => {
        try {
          return await writer.transact(toStatement(guard), rest.map(toStatement));
        } catch (error) {
          throw toPortError(error);
        } finally {
          expectChanges();
        }
      }),
    probe() {
      try {
        writer.assertOpen();
      } catch (error) {
        throw toPortError(error);
      }
      reads.probe();
    },
    migrating: (work) => writer.patiently(() => work(db)),
    async close() {
      if (reader.isOpen) reader.close();
      // Last, so that it can fold the write-ahead log into the file, which a read-only connection could not.
      await writer.close();
    },
  };
}

function toStatement({ sql, parameters }: CompiledQuery): WriterStatement {
  return { sql, parameters: parameters as readonly SQLInputValue[] };
}

/**
 * Makes sure of the file and its permissions before SQLite opens it: its log files inherit them. An existing file is
 * never opened here: closing it again would drop the POSIX locks that other connections of this process hold on it
 * (https://www.sqlite.org/howtocorrupt.html section 2.2).
 */
function claimFile(file: string, shown: string): void {
  try {
    makeDirectory(dirname(file));
    createMissing(file);
    const stats = statSync(file);
    if (!stats.isFile()) throw unwritable(shown, "not a regular file");
    accessSync(file, constants.R_OK | constants.W_OK);
    if ((stats.mode & 0o077) !== 0) chmodSync(file, 0o600);
  } catch (error) {
    throw error instanceof DatabaseFault ? error : unwritable(shown, systemCode(error), error);
  }
}

function createMissing(file: string): void {
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  }
}

async function useWal(run: WriterTurn["run"], shown: string): Promise<void> {
  const [row] = (await run("pragma journal_mode = wal")).rows as { readonly journal_mode: string }[];
  if (row?.journal_mode !== "wal") {
    throw new DatabaseFault(`the database ${shown} cannot use a write-ahead log: put it on a local disk`);
  }
}

function toOpenError(error: unknown, shown: string): unknown {
  switch (primaryCode(error)) {
    case SQLITE_NOTADB:
      return new DatabaseFault(`the file ${shown} is not a SQLite database: name another path`, {
        cause: error,
      });
    case SQLITE_CORRUPT:
      return new DatabaseFault(`the database ${shown} is damaged: restore it from a backup`, {
        cause: error,
      });
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return unwritable(shown, "no write access to its directory", error);
    default:
      return toPortError(error);
  }
}

function unwritable(shown: string, why: string, cause?: unknown): DatabaseFault {
  return new DatabaseFault(
    `cannot open the database ${shown} for writing (${why}): name a path this user may write`,
    {
      cause,
    },
  );
}

function systemCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown error";
}
