import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { COMPILE_CACHE } from "../compile-cache.ts";

const MAIN = join(import.meta.dirname, "../../src/cli/main.ts");
const START_DEADLINE_MS = 180_000;

/** The service as a process of its own. */
export interface Instance {
  readonly url: string;
  readonly pid: number;
  /** Its log so far, one parsed line each. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  signal(signal: NodeJS.Signals): void;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** Asks it to drain; resolves with its exit code. */
  stop(): Promise<number | null>;
}

/** Starts `kyros serve` on a free port, with limits off and cheap hashes unless `env` says otherwise. */
export async function startInstance(
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<Instance> {
  const child = spawn(process.execPath, [MAIN, "serve", ...args], {
    env: {
      ...COMPILE_CACHE,
      KYROS_PORT: "0",
      KYROS_BCRYPT_COST: "10",
      KYROS_RATE_LIMIT: "off",
      KYROS_LOGIN_RATE_LIMIT: "off",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = once(child, "close") as Promise<[number | null]>;
  const stderr = collect(child.stderr);
  const log: Record<string, unknown>[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => fail("is not listening yet"), START_DEADLINE_MS);
    const fail = (why: string): void => {
      child.kill("SIGKILL");
      reject(new Error(`kyros serve ${why}: ${stderr()}`));
    };
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.startsWith("{")) log.push(JSON.parse(line));
      const listening = /^kyros listening on (\S+)$/.exec(line)?.[1];
      if (listening === undefined) return;
      clearTimeout(timer);
      resolve(listening);
    });
    closed.then(([exitCode]) => {
      clearTimeout(timer);
      reject(new Error(`kyros serve ended with ${exitCode}: ${stderr()}`));
    });
  });
  return {
    url,
    pid: child.pid!,
    log,
    signal: (signal) => void child.kill(signal),
    async kill() {
      child.kill("SIGKILL");
      await closed;
    },
    async stop() {
      if (isRunning(child)) child.kill("SIGTERM");
      return (await closed)[0];
    },
  };
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  return () => text;
}
