import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Child, startChild } from "./child.ts";
import type { Population } from "./http/population.ts";

const MAIN = new URL("../src/cli/main.ts", import.meta.url).pathname;
const START_DEADLINE_MS = 30_000;
const COMMAND_DEADLINE_MS = 30_000;

/** A fresh data directory, gone when `use` is done. */
export async function withDataDir<T>(use: (dataDir: string) => Promise<T>): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), "kyros-bench-"));
  try {
    return await use(dataDir);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Settings of a service that is measured: no limit and no redirect stands in the way. */
export function settings(dataDir: string): Record<string, string> {
  return {
    KYROS_ENV: "development",
    KYROS_HOST: "127.0.0.1",
    KYROS_PORT: "0",
    KYROS_DATA_DIR: dataDir,
    KYROS_RATE_LIMIT: "off",
    KYROS_LOGIN_RATE_LIMIT: "off",
    KYROS_FORCE_HTTPS: "off",
  };
}

/** What a population's settings are to a contender, to `kyros serve` are these: with limits that nobody reaches. */
export function settingsOf(population: Population): Record<string, string> {
  const argument = (name: string): string =>
    population.args.find((one) => one.startsWith(`--${name}=`))!.slice(name.length + 3);
  return {
    ...settings(population.folder),
    DATABASE_URL: argument("kyros-database-url"),
    KYROS_SECRET: argument("secret"),
    KYROS_RATE_LIMIT: "1000000000/1h",
  };
}

/** Starts `kyros serve`, with further arguments, and waits until it says where it listens: the first group of the child's `match`. */
export function startService(env: Record<string, string>, serveArgs: readonly string[] = []): Promise<Child> {
  return startChild({
    args: [MAIN, "serve", ...serveArgs],
    env,
    ready: /^kyros listening on (http:\/\/\S+)$/,
    deadlineMs: START_DEADLINE_MS,
  });
}

/** Creates a user with `kyros user create`. */
export async function createUser(
  env: Record<string, string>,
  username: string,
  password: string,
): Promise<void> {
  const child = spawn(process.execPath, [MAIN, "user", "create", username, "--password-stdin"], {
    env,
    stdio: ["pipe", "ignore", "pipe"],
    timeout: COMMAND_DEADLINE_MS,
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  child.stdin.end(password);
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`kyros user create ended with ${code}\n${errors}`);
}
