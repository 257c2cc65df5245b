import { statSync } from "node:fs";
import { getCompileCacheDir } from "node:module";
import { extname } from "node:path";
import type { DatabaseSyncOptions, SQLInputValue } from "node:sqlite";
import { Worker } from "node:worker_threads";
import type { WriterCalls, WriterStatement, Written } from "./sqlite-writer-calls.ts";
import { createWriterCalls } from "./sqlite-writer-calls.ts";

/**
 * How long an answer is waited for, in running time: the five seconds that a lock of another process is waited for, and
 * as long again for the disk.
 */
const ANSWER_MS = 10_000;
/** A migration may rewrite a table; opening may replay a long write-ahead log. */
const PATIENT_MS = 600_000;
/** From the death of a thread to the start of the next. */
const RESTART_PAUSE_MS = 250;

/** One user of the connection at a time, who may need several calls: one transaction, say. */
export interface WriterTurn {
  /** Runs one statement; while another connection holds the lock it waits, for up to five seconds. */
  run(sql: string, parameters?: readonly SQLInputValue[]): Promise<Written>;
  /** Undoes the transaction, where there still is one. */
  rollback(): Promise<void>;
}

/**
 * A connection that writes, in a thread of its own: a commit waits for the disk, and an event loop that waited with it
 * would serve nobody meanwhile. Its errors are those of `node:sqlite`, and `ERR_INVALID_STATE` where the thread has not
 * answered for ten seconds, has died, or the file was closed. What such a call asked for may have happened or not.
 */
export interface SqliteWriter {
  /** Throws where the file was closed, or the thread is late with an answer or has died. */
  assertOpen(): void;
  /** A turn ends with its thread, and with the first answer that is not in time: what follows it would be half a turn. */
  turn(): WriterTurn;
  /** Runs `guard`, and `rest` where it changed a row, in one transaction and one call; resolves to whether it did. */
  transact(guard: WriterStatement, rest: readonly WriterStatement[]): Promise<boolean>;
  /** While `work` is under way, answers may take up to ten minutes. */
  patiently<T>(work: () => Promise<T>): Promise<T>;
  /** Closes the file and ends the thread, or leaves it to its disk after ten seconds; what is asked later fails. */
  close(): Promise<void>;
}

export interface SqliteWriterOptions {
  readonly file: string;
  readonly options: DatabaseSyncOptions;
  /** Makes a connection ready for use, each time that one is opened. */
  readonly prepare: (run: WriterTurn["run"]) => Promise<void>;
  readonly startThread?: (() => Worker) | undefined;
  readonly answerMs?: number | undefined;
}

const THREAD = new URL(`./sqlite-writer-thread${extname(import.meta.filename)}`, import.meta.url);

/** One that was started ahead. */
let spare: Worker | undefined;

/** Starts the thread of the next file that is opened, so that it is there by then: for who has much else to load. */
export function startWriterThread(): void {
  spare ??= newThread();
}

function takeThread(): Worker {
  const thread = spare ?? newThread();
  spare = undefined;
  return thread;
}

function newThread(): Worker {
  // A thread has a cache of compiled code only if it is told of one, and starts in a third of the time with it.
  const cacheDir = getCompileCacheDir();
  const env = cacheDir === undefined ? {} : { NODE_COMPILE_CACHE: cacheDir };
  const thread = new Worker(THREAD, { env, name: "kyros sqlite writer" });
  thread.unref();
  return thread;
}

/** Opens a file for writing; rejects as `new DatabaseSync` and `prepare` do. */
export async function openSqliteWriter(given: SqliteWriterOptions): Promise<SqliteWriter> {
  const { file, options, prepare, startThread = takeThread, answerMs = ANSWER_MS } = given;
  const inode = inodeOf(file);
  let patience = 0;
  let closing: Promise<void> | undefined;
  let calls = await open();

  async function open(): Promise<WriterCalls> {
    const thread = startThread();
    const opened = createWriterCalls(thread);
    try {
      await opened.ask({ kind: "open", file, options }, PATIENT_MS);
      await prepare((sql, parameters = []) => opened.ask({ kind: "run", sql, parameters }, PATIENT_MS));
    } catch (error) {
      await thread.terminate();
      throw error;
    }
    void opened.ended.then(openAgain);
    return opened;
  }

  /** A file put in the place of the one that is read here is another database: its writes would not be seen. */
  async function openAgain(): Promise<void> {
    while (closing === undefined) {
      await new Promise((resolve) => setTimeout(resolve, RESTART_PAUSE_MS).unref());
      try {
        if (inodeOf(file) !== inode) continue;
        const next = await open();
        if (closing === undefined) calls = next;
        else await next.close(answerMs);
        return;
      } catch {
        // The outage goes on, as `assertOpen` and every call say.
      }
    }
  }

  const withinMs = () => (patience > 0 ? PATIENT_MS : answerMs);

  return {
    assertOpen: () => calls.assertOpen(),
    turn() {
      const mine = calls;
      const givenUp = mine.givenUp();
      const isOver = () => mine !== calls || mine.givenUp() !== givenUp;
      return {
        async run(sql, parameters = []) {
          if (isOver()) throw Object.assign(new Error("the turn is over"), { code: "ERR_INVALID_STATE" });
          return mine.ask({ kind: "run", sql, parameters }, withinMs());
        },
        async rollback() {
          // A thread that was late, or has died, leaves no transaction behind.
          if (isOver() || isClosed(mine)) return;
          await mine.ask({ kind: "rollback" }, withinMs());
        },
      };
    },
    transact: async (guard, rest) =>
      (await calls.ask({ kind: "transact", guard, rest }, withinMs())).changes > 0,
    async patiently(work) {
      patience += 1;
      try {
        return await work();
      } finally {
        patience -= 1;
      }
    },
    close() {
      closing ??= calls.close(answerMs);
      return closing;
    },
  };
}

function isClosed(calls: WriterCalls): boolean {
  try {
    calls.assertOpen();
    return false;
  } catch {
    return true;
  }
}

function inodeOf(file: string): string {
  const { dev, ino } = statSync(file, { bigint: true });
  return `${dev}:${ino}`;
}
