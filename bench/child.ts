import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { createInterface, type Interface } from "node:readline";
import type { Writable } from "node:stream";

/** A tool of the system is missing: one line that says how to get it. The caller exits 2. */
export class MissingTool extends Error {
  override readonly name = "MissingTool";
}

export interface ChildOptions {
  /** Node's arguments, the program first. */
  readonly args: readonly string[];
  /** The whole environment: what this process was given never reaches what is measured. */
  readonly env?: Readonly<Record<string, string>>;
  /** The core it has to stay on; anywhere where absent. */
  readonly core?: number;
  /** The line of standard output that says it accepts connections. */
  readonly ready: RegExp;
  readonly deadlineMs: number;
}

export interface Child {
  readonly pid: number;
  /** What `ready` matched. */
  readonly match: RegExpExecArray;
  readonly input: Writable;
  /** The lines of its standard output. */
  readonly lines: Interface;
  /** Ends it with SIGTERM, and with SIGKILL where that does not do it within 10 s. */
  stop(): Promise<void>;
}

const STOP_DEADLINE_MS = 10_000;

/** The command that runs `command` on one core alone, or the command itself where the machine cannot. */
export function pinned(core: number | undefined, command: readonly string[]): readonly string[] {
  if (core === undefined || availableParallelism() < 2) return command;
  if (spawnSync("taskset", ["--version"]).error) {
    throw new MissingTool("taskset is missing; install it with: apt-get install util-linux");
  }
  return ["taskset", "-c", String(core), ...command];
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_DEADLINE_MS);
  await exited;
  clearTimeout(timer);
}

/**
 * Starts a program with this process's own Node and waits for its `ready` line.
 * Throws where it ends or stays silent past the deadline, with the last of its standard error.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const [command, ...args] = pinned(options.core, [process.execPath, ...options.args]);
  // A program that reads its standard input to the end learns from it that its parent is gone.
  const child = spawn(command!, args, {
    env: { PATH: "/usr/local/bin:/usr/bin:/bin", ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const killNow = () => child.kill("SIGKILL");
  process.once("exit", killNow);
  child.once("exit", () => process.off("exit", killNow));

  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-2000);
  });
  const started = Promise.withResolvers<RegExpExecArray>();
  const fail = (why: string) => started.reject(new Error(`${options.args[0]} ${why}\n${errors}`.trimEnd()));
  child.once("error", (error) => fail(`cannot start: ${error.message}`));
  child.once("exit", (code, signal) => fail(`ended with ${signal ?? code} before it was ready`));
  const timer = setTimeout(() => fail(`was not ready within ${options.deadlineMs} ms`), options.deadlineMs);
  const lines = createInterface({ input: child.stdout }).on("line", (line) => {
    const match = options.ready.exec(line);
    if (match) started.resolve(match);
  });
  try {
    const match = await started.promise;
    return { pid: child.pid!, match, input: child.stdin, lines, stop: () => end(child) };
  } catch (error) {
    if (child.pid !== undefined) await end(child);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
