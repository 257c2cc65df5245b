import type { DatabaseSyncOptions, SQLInputValue } from "node:sqlite";
import type { Worker } from "node:worker_threads";
import { withinDeadline } from "../deadline.ts";
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

/** Calls to one writer thread. */
export interface WriterCalls {
  /** Throws while the thread is late with an answer, and once it has ended. */
  assertOpen(): void;
  /**
   * Resolves to the answer, which is waited for `withinMs` of running time. Where none has come by then, this call and
   * all behind it reject; whether they happen is open. Others reject at once until the thread has answered them all.
   */
  ask(command: WriterCommand, withinMs: number): Promise<Written>;
  /** How often the thread was too late: who works in several calls must not go on once it was. */
  givenUp(): number;
  /** Settles when the thread has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Closes the file and ends the thread; resolves after `withinMs` at the latest. */
  close(withinMs: number): Promise<void>;
}

function refusal(message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code: "ERR_INVALID_STATE" });
}

export function createWriterCalls(thread: Worker): WriterCalls {
  const ended = Promise.withResolvers<void>();
  /** The answers come in the order of the commands. Only while one is awaited does the thread keep the process alive. */
  const waiting: PromiseWithResolvers<Written>[] = [];
  let closed: Error | undefined;
  let late: Error | undefined;
  let isResuming = false;
  let givenUp = 0;

  function send(command: WriterCommand): PromiseWithResolvers<Written> {
    const pending = Promise.withResolvers<Written>();
    if (waiting.push(pending) === 1) thread.ref();
    thread.postMessage(command);
    return pending;
  }

  function settle(reply: WriterReply): void {
    const pending = waiting.shift()!;
    if (waiting.length === 0) thread.unref();
    if (reply.kind === "done") pending.resolve(reply);
    else pending.reject(errorFrom(reply.error));
    if (waiting.length === 0 && late !== undefined && !isResuming) resume();
  }

  /** Those that were given up stay in line, as their answers are still to come. */
  function giveUp(cause: unknown): Error {
    late = refusal("the thread that writes the database does not answer", cause);
    givenUp += 1;
    thread.unref();
    for (const pending of waiting) pending.reject(late);
    return late;
  }

  /** The thread has answered all that was given up; a transaction that nobody waits for any more is undone first. */
  function resume(): void {
    isResuming = true;
    send({ kind: "rollback" }).promise.then(
      () => {
        isResuming = false;
        late = undefined;
      },
      () => thread.terminate(),
    );
  }

  function end(cause?: unknown): void {
    closed ??= refusal("the database is not open", cause);
    for (const pending of waiting.splice(0)) pending.reject(closed);
  }

  thread.on("message", settle);
  thread.on("error", end);
  thread.on("exit", () => {
    end();
    ended.resolve();
  });

  return {
    assertOpen() {
      const reason = closed ?? late;
      if (reason !== undefined) throw reason;
    },
    async ask(command, withinMs) {
      const reason = closed ?? late;
      if (reason !== undefined) throw reason;
      const pending = send(command);
      try {
        return await withinDeadline(pending.promise, withinMs);
      } catch (error) {
        if (late === undefined && waiting.includes(pending)) throw giveUp(error);
        throw error;
      }
    },
    givenUp: () => givenUp,
    ended: ended.promise,
    async close(withinMs) {
      if (closed === undefined) {
        const pending = send({ kind: "close" });
        closed = refusal("the database is not open");
        // Late already, it closes the file when it answers; what is acknowledged does not depend on that.
        if (late === undefined) await withinDeadline(pending.promise, withinMs).catch(() => undefined);
        else pending.promise.catch(() => undefined);
      }
      if (waiting.length > 0) {
        thread.unref();
        return;
      }
      thread.ref();
      await ended.promise;
    },
  };
}
