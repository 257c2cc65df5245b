import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { RedisServer } from "./redis-server.ts";
import { startRedis } from "./redis-server.ts";

export interface RedisCluster {
  readonly urls: readonly string[];
  readonly nodes: readonly RedisServer[];
  stop(): Promise<void>;
}

const FORMED_WITHIN_MS = 30_000;

/** Starts three masters and makes them a cluster. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const nodes: RedisServer[] = [];
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    const args = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
    for (let i = 0; i < 3; i++) nodes.push(await startRedis({ args }));
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    await promisify(execFile)("redis-cli", ["--cluster", "create", ...addresses, "--cluster-yes"]);
    const deadlineMs = performance.now() + FORMED_WITHIN_MS;
    for (const node of nodes) {
      while (!String(await node.command("cluster", "info")).includes("cluster_state:ok")) {
        if (performance.now() > deadlineMs) throw new Error("the cluster did not form");
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { urls: nodes.map(({ url }) => url), nodes, stop };
}
