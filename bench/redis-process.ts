import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MissingTool } from "./child.ts";

/** A redis-server for one run: on a free port, in a temporary folder, without persistence. */
export async function startBenchRedis(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  if (spawnSync("redis-server", ["--version"]).error) {
    throw new MissingTool("redis-server is missing; install it with: apt-get install redis-server");
  }
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), "kyros-bench-redis-"));
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder];
  const child = spawn("redis-server", args, { stdio: ["ignore", "pipe", "inherit"] });
  const killNow = () => child.kill("SIGKILL");
  process.once("exit", killNow);
  const exited = once(child, "exit");
  const ready = new Promise<void>((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (text.includes("Ready to accept connections")) resolve();
    });
  });
  await Promise.race([
    ready,
    exited.then(() => {
      throw new Error("redis-server ended before it was ready");
    }),
  ]);
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      process.off("exit", killNow);
      child.kill("SIGTERM");
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
