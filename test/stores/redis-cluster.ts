import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { RedisServer } from "./redis-server.ts";
import { startRedis } from "./redis-server.ts";

export interface RedisCluster {
  readonly urls: readonly string[];
  readonly nodes: readonly RedisServer[];
  /** Of the first node, where one was asked for. */
  readonly replica?: RedisServer | undefined;
  stop(): Promise<void>;
}

const FORMED_WITHIN_MS = 30_000;

const ARGS = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];

/** Starts three masters and makes them a cluster; with a replica of the first, it survives the loss of that. */
export async function startRedisCluster({ withReplica = false } = {}): Promise<RedisCluster> {
  const nodes: RedisServer[] = [];
  let replica: RedisServer | undefined;
  const stop = async () => {
    await Promise.all([...nodes, ...(replica ? [replica] : [])].map((node) => node.stop()));
  };
  try {
    for (let i = 0; i < 3; i++) nodes.push(await startRedis({ args: ARGS }));
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    await promisify(execFile)("redis-cli", ["--cluster", "create", ...addresses, "--cluster-yes"]);
    for (const node of nodes) await formed(node, "cluster_state:ok", "cluster", "info");
    if (withReplica) {
      replica = await startRedis({ args: ARGS });
      await replicate(replica, nodes[0]!);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { urls: nodes.map(({ url }) => url), nodes, replica, stop };
}

async function replicate(replica: RedisServer, master: RedisServer): Promise<void> {
  const id = String(await master.command("cluster", "myid"));
  await replica.command("cluster", "meet", "127.0.0.1", master.port);
  await formed(replica, id, "cluster", "nodes");
  await formed(replica, "cluster_state:ok", "cluster", "info");
  await replica.command("cluster", "replicate", id);
  await formed(replica, "master_link_status:up", "info", "replication");
}

/** Waits until the answer to a command has a text in it. */
async function formed(node: RedisServer, text: string, ...words: readonly string[]): Promise<void> {
  const deadlineMs = performance.now() + FORMED_WITHIN_MS;
  while (!String(await node.command(...words)).includes(text)) {
    if (performance.now() > deadlineMs) throw new Error("the cluster did not form");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
