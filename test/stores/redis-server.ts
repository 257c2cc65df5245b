import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** One command, by a connection of the test's own. */
  command(...words: readonly (string | number)[]): Promise<unknown>;
  /** SIGSTOP: connections are accepted by the kernel, and nothing is answered. */
  pause(): void;
  resume(): void;
  /** SIGKILL, and waits for it to be gone. The port stays free for `startRedis({ port })`. */
  kill(): Promise<void>;
  /** Ends it, however it is, and removes its folder. */
  stop(): Promise<void>;
}

export interface RedisServerOptions {
  /** More arguments of redis-server. */
  readonly args?: readonly string[];
  /** A free one where absent. */
  readonly port?: number;
}

/** Why tests over Redis are skipped, where they are. */
export const WITHOUT_REDIS: string | false =
  spawnSync("redis-server", ["--version"]).error === undefined
    ? false
    : "redis-server is not installed: apt-get install redis-server";

const READY_WITHIN_MS = 60_000;

/** Starts a redis-server of the test's own, in a temporary folder, without persistence. */
export async function startRedis({ args = [], port }: RedisServerOptions = {}): Promise<RedisServer> {
  const listenOn = port ?? (await freePort());
  const folder = await mkdtemp(join(tmpdir(), "kyros-redis-"));
  const fixed = ["--port", String(listenOn), "--bind", "127.0.0.1", "--save", "", "--dir", folder];
  const child = spawn("redis-server", [...fixed, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const killNow = () => child.kill("SIGKILL");
  process.once("exit", killNow);
  const exited = once(child, "exit").then(() => process.off("exit", killNow));
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-2000);
    });
  }
  const client = new Redis({ port: listenOn, lazyConnect: true, retryStrategy: () => 20 });
  client.on("error", () => {});
  const kill = async () => {
    child.kill("SIGKILL");
    if (child.pid !== undefined) await exited;
  };
  try {
    const deadlineMs = performance.now() + READY_WITHIN_MS;
    while (!said.includes("Ready to accept connections")) {
      if (child.pid === undefined || child.exitCode !== null || performance.now() > deadlineMs) {
        throw new Error(`redis-server did not start:\n${said}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  } catch (error) {
    client.disconnect();
    await kill();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    url: `redis://127.0.0.1:${listenOn}`,
    port: listenOn,
    pid: child.pid!,
    command: (name, ...words) => client.call(String(name), ...words),
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    kill,
    async stop() {
      client.disconnect();
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A port that was free a moment ago; a cluster node needs the one 10,000 above it as well. */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    server.close();
    await once(server, "close");
    if (port + 10_000 < 65_536) return port;
  }
}
