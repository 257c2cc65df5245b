import { getCompileCacheDir } from "node:module";
import { extname } from "node:path";
import type { DatabaseSyncOptions, SQLInputValue } from "node:sqlite";
import { Worker } from "node:worker_threads";
import type { ErrorDescription } from "./sqlite-errors.ts";
import { errorFrom } from "./sqlite-errors.ts";

export interface WriterStatement {
  readonly sql: string;
  readonly parameters: readonly SQLInputValue[];
}

export type WriterCommand =
  | { readonly kind: "open"; readonly file: string; readonly options: DatabaseSyncOptions }
  | ({ readonly kind: "run" } & WriterStatement)
  | { readonly kind: "transact"; readonly guard: WriterStatement; readonly rest: readonly WriterStatement[] }
  | { readonly kind: "rollback" }
  | { readonly kind: "close" };

export type WriterReply =
  | { readonly kind: "done"; readonly rows: readonly unknown[]; readonly changes: number | bigint }
  | { readonly kind: "failed"; readonly error: ErrorDescription };

export interface Written {
  readonly rows: readonly unknown[];
  readonly changes: number | bigint;
}

/**
 * A connection that writes, in a thread of its own: a commit waits for the disk, and an event loop that waited with it
 * would serve nobody meanwhile. Its errors are those of `node:sqlite`.
 */
export interface SqliteWriter {
  /** Throws where the file was closed or the thread has died. */
  assertOpen(): void;
  /** Runs one statement; while another connection holds the lock it waits, for up to five seconds. */
  run(sql: string, parameters?: readonly SQLInputValue[]): Promise<Written>;
  /** Runs `guard`, and `rest` where it changed a row, in one transaction and one call; resolves to whether it did. */
  transact(guard: WriterStatement, rest: readonly WriterStatement[]): Promise<boolean>;
  /** Undoes the transaction, where there still is one. */
  rollback(): Promise<void>;
  /** Closes the file and ends the thread; what is asked later fails. */
  close(): Promise<void>;
}

const THREAD = new URL(`./sqlite-writer-thread${extname(import.meta.filename)}`, import.meta.url);

/** One that was started ahead. */
let spare: Worker | undefined;

/** Starts the thread of the next file that is opened, so that it is there by then: for who has much else to load. */
export function startWriterThread(): void {
  spare ??= newThread();
}

function newThread(): Worker {
  // A thread has a cache of compiled code only if it is told of one, and starts in a third of the time with it.
  const cacheDir = getCompileCacheDir();
  const env = cacheDir === undefined ? {} : { NODE_COMPILE_CACHE: cacheDir };
  const thread = new Worker(THREAD, { env, name: "kyros sqlite writer" });
  thread.unref();
  return thread;
}

/** Opens a file for writing; rejects as `new DatabaseSync` throws. */
export async function openSqliteWriter(file: string, options: DatabaseSyncOptions): Promise<SqliteWriter> {
  const thread = spare ?? newThread();
  spare = undefined;
  const ended = Promise.withResolvers<void>();
  const waiting: PromiseWithResolvers<Written>[] = [];
  let closed: Error | undefined;

  /** The replies come in the order of the commands. Only while one is awaited does the thread keep the process alive. */
  function nextReply(): Promise<Written> {
    const pending = Promise.withResolvers<Written>();
    if (waiting.push(pending) === 1) thread.ref();
    return pending.promise;
  }

  function settle(reply: WriterReply): void {
    const pending = waiting.shift()!;
    if (waiting.length === 0) thread.unref();
    if (reply.kind === "done") pending.resolve(reply);
    else pending.reject(errorFrom(reply.error));
  }

  function ask(command: WriterCommand): Promise<Written> {
    if (closed !== undefined) return Promise.reject(closed);
    const reply = nextReply();
    thread.postMessage(command);
    return reply;
  }

  function end(cause?: unknown): void {
    closed ??= Object.assign(new Error("the database is not open", { cause }), { code: "ERR_INVALID_STATE" });
    for (const pending of waiting.splice(0)) pending.reject(closed);
  }

  thread.on("message", settle);
  thread.on("error", end);
  thread.on("exit", () => {
    end();
    ended.resolve();
  });

  try {
    await ask({ kind: "open", file, options });
  } catch (error) {
    await thread.terminate();
    throw error;
  }
  return {
    assertOpen() {
      if (closed !== undefined) throw closed;
    },
    run: (sql, parameters = []) => ask({ kind: "run", sql, parameters }),
    transact: async (guard, rest) => (await ask({ kind: "transact", guard, rest })).changes > 0,
    async rollback() {
      if (closed === undefined) await ask({ kind: "rollback" });
    },
    async close() {
      if (closed === undefined) {
        await ask({ kind: "close" });
        end();
      }
      thread.ref();
      await ended.promise;
    },
  };
}
