import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BINARIES, copyTemplate, PASSWORD, SUPERUSER_PASSWORD, serverUser } from "./postgres-template.ts";

/** A PostgreSQL 15 of its own, in a temporary directory, on a free port of 127.0.0.1. */
export interface PostgresServer {
  /** Of the database `kyros`, which the role `kyros` owns: no superuser, but it may create databases. */
  readonly url: string;
  /** Of the same database, as a superuser. */
  readonly superuserUrl: string;
  readonly port: number;
  /** The process id of the postmaster; another one after a restart. */
  readonly pid: number;
  /** Where the server's files are; certificates for it can be put there. */
  readonly directory: string;
  /** Adds a line to postgresql.conf, which holds from the next restart on. */
  configure(setting: string): void;
  /** Stops the server, `immediate` as a crash does (no checkpoint, recovery at the next start), and starts it again. */
  restart(mode: "fast" | "immediate"): Promise<void>;
  /** SIGSTOP to the postmaster and all its backends: connections stay open and nothing answers. */
  pause(): void;
  resume(): void;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
}

/**
 * Starts a server; `settings` are lines of postgresql.conf. By default a commit is written before it is acknowledged,
 * but the system is not asked to put it on the disk: what ends here is processes, and never the system. It ends with
 * this process, however that ends.
 */
export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  const owner = serverUser();
  const directory = mkdtempSync(join(tmpdir(), "kyros-postgres-"));
  if (owner !== undefined) chownSync(directory, owner.uid, owner.gid);
  const data = join(directory, "data");
  await copyTemplate(data);
  const port = await freePort();
  const lines = [
    `port = ${port}`,
    `unix_socket_directories = '${directory}'`,
    "listen_addresses = '127.0.0.1'",
    "fsync = off",
  ];
  writeFileSync(join(data, "postgresql.auto.conf"), `${[...lines, ...settings].join("\n")}\n`);
  let running = await start();

  async function start(): Promise<{ shell: ChildProcess; pid: number }> {
    // The shell ends the server when its input ends, which happens whatever kills this process.
    const script =
      'exec 3<&0; "$@" & server=$!; { cat <&3; kill -CONT $server; kill -QUIT $server; } & wait $server; kill $! 2> /dev/null';
    const shell = spawn("sh", ["-c", script, "sh", join(BINARIES, "postgres"), "-D", data], {
      ...owner,
      cwd: directory,
      stdio: ["pipe", "ignore", "pipe"],
    });
    let log = "";
    shell.stderr!.setEncoding("utf8").on("data", (text: string) => {
      log = (log + text).slice(-10_000);
    });
    // The 10 s that a start after a crash may take, many times over.
    for (let attempt = 0; attempt < 1500; attempt += 1) {
      if (shell.exitCode !== null) assert.fail(`PostgreSQL did not start: ${log}`);
      const lines = statusLines();
      if (lines[7]?.trim() === "ready") return { shell, pid: Number(lines[0]) };
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    shell.stdin!.end();
    return assert.fail(`PostgreSQL did not get ready: ${log}`);
  }

  function statusLines(): readonly string[] {
    try {
      return readFileSync(join(data, "postmaster.pid"), "utf8").split("\n");
    } catch {
      return [];
    }
  }

  /** SIGINT is a fast shutdown and SIGQUIT an immediate one (postgres(1)). */
  async function end(signal: "SIGINT" | "SIGQUIT"): Promise<void> {
    const exited = once(running.shell, "exit");
    process.kill(running.pid, signal);
    await exited;
    running.shell.stdin!.end();
    rmSync(join(data, "postmaster.pid"), { force: true });
  }

  function signalAll(signal: "SIGSTOP" | "SIGCONT"): void {
    for (const pid of [running.pid, ...childrenOf(running.pid)]) {
      try {
        process.kill(pid, signal);
      } catch {
        // A backend that has ended meanwhile.
      }
    }
  }

  return {
    url: `postgres://kyros:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/kyros`,
    superuserUrl: `postgres://postgres:${SUPERUSER_PASSWORD}@127.0.0.1:${port}/kyros`,
    port,
    get pid() {
      return running.pid;
    },
    directory,
    configure: (setting) => appendFileSync(join(data, "postgresql.auto.conf"), `${setting}\n`),
    async restart(mode) {
      await end(mode === "fast" ? "SIGINT" : "SIGQUIT");
      running = await start();
    },
    pause: () => signalAll("SIGSTOP"),
    resume: () => signalAll("SIGCONT"),
    async stop() {
      signalAll("SIGCONT");
      if (running.shell.exitCode === null) await end("SIGQUIT");
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function childrenOf(parent: number): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) === parent;
      } catch {
        return false;
      }
    });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
