import type { Passwords, PasswordVerdict } from "../../crypto/password.ts";
import { Refusal } from "../../kernel/failure.ts";
import type { FromWorker, PasswordJob, PasswordResult } from "./messages.ts";

/** Passwords whose hashing another thread does, so that one queue bounds the work of all workers. */
export interface RemotePasswords extends Passwords {
  /** Hands over the other thread's answer. */
  settle(result: PasswordResult): void;
}

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (reason: unknown) => void;
}

export function createRemotePasswords(send: (message: FromWorker) => void): RemotePasswords {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let refused = 0;

  function ask<T>(job: (id: number) => PasswordJob, signal: AbortSignal | undefined): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      signal?.throwIfAborted();
      const id = ++lastId;
      const giveUp = () => {
        waiting.delete(id);
        send({ kind: "abandon", id });
        reject(signal?.reason);
      };
      const done =
        <V>(settle: (value: V) => void) =>
        (value: V) => {
          signal?.removeEventListener("abort", giveUp);
          settle(value);
        };
      signal?.addEventListener("abort", giveUp, { once: true });
      waiting.set(id, { resolve: done(resolve), reject: done(reject) });
      send(job(id));
    });
  }

  return {
    hash: (password, signal) => ask<string>((id) => ({ kind: "hash", id, password }), signal),
    verify: (password, storedHash, signal) =>
      ask<PasswordVerdict>((id) => ({ kind: "verify", id, password, storedHash }), signal),
    get pending() {
      return waiting.size;
    },
    /** Of this worker's own jobs; whether one is computed yet, the other thread knows. */
    get load() {
      return { waiting: waiting.size, running: 0, refused };
    },
    settle(result) {
      const job = waiting.get(result.id);
      if (job === undefined) return;
      waiting.delete(result.id);
      switch (result.kind) {
        case "hashed":
          return job.resolve(result.hash as never);
        case "verified":
          return job.resolve(result.verdict as never);
        case "refused":
          refused++;
          return job.reject(new Refusal(result.problem));
        case "failed":
          return job.reject(new Error(result.message));
      }
    },
  };
}

/** The other side: does one worker's jobs, in the order they come among those of all workers. */
export function servePasswords(
  passwords: Passwords,
  send: (result: PasswordResult) => void,
): {
  run(job: PasswordJob): Promise<void>;
  abandon(id: number): void;
  /** Gives up what still waits: the worker that asked is gone. */
  abandonAll(): void;
} {
  const running = new Map<number, AbortController>();

  async function result(job: PasswordJob, signal: AbortSignal): Promise<PasswordResult> {
    const { id } = job;
    try {
      return job.kind === "hash"
        ? { kind: "hashed", id, hash: await passwords.hash(job.password, signal) }
        : { kind: "verified", id, verdict: await passwords.verify(job.password, job.storedHash, signal) };
    } catch (error) {
      if (error instanceof Refusal) return { kind: "refused", id, problem: error.problem };
      return { kind: "failed", id, message: error instanceof Error ? error.message : String(error) };
    }
  }

  return {
    async run(job) {
      const controller = new AbortController();
      running.set(job.id, controller);
      const outcome = await result(job, controller.signal);
      running.delete(job.id);
      if (!controller.signal.aborted) send(outcome);
    },
    abandon: (id) => running.get(id)?.abort(),
    abandonAll() {
      for (const controller of running.values()) controller.abort();
    },
  };
}
