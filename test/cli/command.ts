import assert from "node:assert/strict";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { COMPILE_CACHE } from "../compile-cache.ts";

const MAIN = join(import.meta.dirname, "../../src/cli/main.ts");
const ONE_PROCESS = join(import.meta.dirname, "one-process.ts");

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Served {
  /** All plain lines of standard output so far; those of the log are JSON. */
  readonly plainLines: readonly string[];
  readonly log: readonly string[];
  readonly url: string;
  readonly pid: number;
  /** Resolves once it has ended, however. */
  readonly ended: Promise<Ended>;
  signal(signal: NodeJS.Signals): void;
  terminate(): Promise<Ended>;
  /** Ends it outright, as a crash of the machine would: `SIGKILL`. */
  kill(): Promise<Ended>;
}

/** The `kyros` command as a process of its own, on a data directory of its own and no environment but what it is given. */
export interface Kyros {
  readonly dataDir: string;
  /** Of the database that it works on. */
  readonly databaseUrl: string;
  run(args: readonly string[], options?: { input?: string; env?: Record<string, string> }): Promise<Ended>;
  /** Its standard output is a pipe that is closed at the other end; the signal asks it to end (`SIGTERM`). */
  runUnread(args: readonly string[], env?: Record<string, string>, stop?: AbortSignal): Promise<Ended>;
  /** Runs commands that read no input one after the other, in one process for all: a start takes longer than most of them. */
  runAll(commands: readonly (readonly string[])[]): Promise<readonly Ended[]>;
  /** Resolves once it says where it listens; several may serve the one data directory. */
  serve(env?: Record<string, string>, args?: readonly string[]): Promise<Served>;
  remove(): Promise<void>;
}

export async function kyrosCommand(shared: Record<string, string> = {}): Promise<Kyros> {
  const dataDir = await mkdtemp(join(tmpdir(), "kyros-cli-"));
  const started = (args: readonly string[], env: Record<string, string> = {}, script = MAIN) =>
    spawn(process.execPath, [script, ...args], {
      cwd: dataDir,
      env: {
        ...COMPILE_CACHE,
        KYROS_DATA_DIR: dataDir,
        KYROS_PORT: "0",
        KYROS_BCRYPT_COST: "10",
        ...shared,
        ...env,
      },
    });

  return {
    dataDir,
    databaseUrl: shared["DATABASE_URL"] ?? `sqlite:${join(dataDir, "kyros.db")}`,
    async run(args, { input = "", env } = {}) {
      const child = started(args, env);
      const ended = end(child);
      // A command that reads nothing may be gone before this is written.
      child.stdin.on("error", () => undefined);
      child.stdin.end(input);
      return ended;
    },
    async runUnread(args, env, stop) {
      const child = started(args, env);
      const ended = end(child);
      child.stdout.destroy();
      stop?.addEventListener("abort", () => child.kill("SIGTERM"));
      return ended;
    },
    async runAll(commands) {
      const child = started([], {}, ONE_PROCESS);
      child.stdin.end(JSON.stringify(commands));
      const { exitCode, stdout, stderr } = await end(child);
      assert.equal(exitCode, 0, stderr);
      return JSON.parse(stdout) as Ended[];
    },
    async serve(env, args = []) {
      const child = started(["serve", ...args], env);
      const ended = end(child);
      const plainLines: string[] = [];
      const log: string[] = [];
      const url = await new Promise<string>((resolve, reject) => {
        createInterface({ input: child.stdout }).on("line", (line) => {
          if (line.startsWith("{")) return void log.push(line);
          plainLines.push(line);
          const listening = /http:\/\/\S+/.exec(line)?.[0];
          if (listening !== undefined) resolve(listening);
        });
        ended.then(({ stderr }) => reject(new Error(`serve ended: ${stderr}`)));
      });
      return {
        plainLines,
        log,
        url,
        pid: child.pid!,
        ended,
        signal: (signal) => void child.kill(signal),
        terminate() {
          child.kill("SIGTERM");
          return ended;
        },
        kill() {
          child.kill("SIGKILL");
          return ended;
        },
      };
    },
    remove: () => rm(dataDir, { recursive: true, force: true }),
  };
}

async function end(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  const [exitCode] = (await once(child, "close")) as [number | null];
  return { exitCode, stdout, stderr };
}
