import { Outage } from "../../kernel/failure.ts";

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html); the low byte of an extended one. */
export const SQLITE_BUSY = 5;
export const SQLITE_READONLY = 8;
export const SQLITE_CORRUPT = 11;
export const SQLITE_CANTOPEN = 14;
export const SQLITE_NOTADB = 26;
const SQLITE_CONSTRAINT = 19;

interface SqliteError {
  readonly code: string;
  readonly errcode?: number;
}

/** What is kept of an error on its way between threads, which loses all but its text otherwise. */
export interface ErrorDescription {
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | undefined;
  readonly errcode: number | undefined;
}

export function describeError(error: unknown): ErrorDescription {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const { code, errcode } = asSqliteError(error) ?? {};
  return { message, stack, code, errcode };
}

export function errorFrom({ message, stack, code, errcode }: ErrorDescription): Error {
  const error = new Error(message);
  if (stack !== undefined) error.stack = stack;
  return Object.assign(error, code !== undefined && { code }, errcode !== undefined && { errcode });
}

function asSqliteError(error: unknown): SqliteError | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? (error as Error & SqliteError)
    : undefined;
}

/** The primary result code of an error that SQLite raised; `undefined` for any other error. */
export function primaryCode(error: unknown): number | undefined {
  const errcode = asSqliteError(error)?.errcode;
  return errcode === undefined ? undefined : errcode & 0xff;
}

/**
 * What a port throws for an error of the driver: `Outage` where the database failed or is closed; the error itself
 * where a constraint refused the row, or where it is a fault of ours and not the database's.
 */
export function toPortError(error: unknown): unknown {
  const code = asSqliteError(error)?.code;
  const failed = code === "ERR_SQLITE_ERROR" && primaryCode(error) !== SQLITE_CONSTRAINT;
  return failed || code === "ERR_INVALID_STATE" ? new Outage("database", { cause: error }) : error;
}
