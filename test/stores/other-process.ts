import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** A port of `Stores` (or the stores themselves), its method and arguments. */
export type Call = readonly [
  port: "accounts" | "sessions" | "refreshTokens" | "revocations" | "apiKeys" | "lockouts" | "stores",
  method: string,
  ...args: unknown[],
];
export type Reply = { readonly value: unknown } | { readonly error: string };

export interface OtherProcess {
  /** Makes all calls at once in the other process and resolves to what they came to. */
  call(...calls: readonly Call[]): Promise<unknown[]>;
  /** SIGSTOP and SIGCONT: what is called meanwhile waits. */
  signal(name: "SIGSTOP" | "SIGCONT"): void;
  stop(): Promise<void>;
}

/** Starts a process with its own stores over a database. */
export async function startOtherProcess(databaseUrl: string): Promise<OtherProcess> {
  const child = fork(join(import.meta.dirname, "store-process.ts"), [databaseUrl]);
  await once(child, "message");
  return {
    async call(...calls) {
      child.send(calls);
      const [replies] = (await once(child, "message")) as [Reply[]];
      return replies.map((reply) => {
        assert.ok("value" in reply, "error" in reply ? reply.error : "");
        return reply.value;
      });
    },
    signal: (name) => void child.kill(name),
    async stop() {
      const exited = once(child, "exit");
      child.disconnect();
      child.kill();
      await exited;
    },
  };
}
