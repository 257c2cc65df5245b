import type { ClusterOptions } from "ioredis";
import { Cluster, Redis } from "ioredis";
import { withinDeadline } from "../deadline.ts";
import { endWhenSilent } from "./end-when-silent.ts";

export interface RedisConnectionOptions {
  /** `redis://` or `rediss://` of one server, or of several nodes of a cluster that share scheme and credentials. */
  readonly urls: readonly string[];
  /** How long a command may take (ms). */
  readonly deadlineMs: number;
}

/** Runs a Lua script over keys of one slot. */
export type RunScript = (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;

/**
 * A connection that never waits: what cannot be sent at once fails at once, and what is not answered within the
 * deadline fails then. It comes back by itself, with pauses of up to a second between tries.
 */
export interface RedisConnection {
  /** A script by its hash, sent whole where the server does not have it. Two scripts need two names. */
  script(name: string, lua: string): RunScript;
  publish(channel: string, message: string): Promise<unknown>;
  /** Closes it at once; what is under way fails. */
  close(): void;
}

/** Past these, a connection is taken for dead and made anew (ms). */
const HANDSHAKE_MS = 1000;
const SILENCE_MS = 1000;
/** After this, a connection that was closed is torn down (ms). */
const GOODBYE_MS = 100;
const LONGEST_PAUSE_MS = 1000;
/** How often a cluster's map of slots is read again (ms): a failover is seen by the next time. */
const SLOTS_EVERY_MS = 2000;

/** What a server says that has become a replica: behind its name there may be another by now. */
const DEMOTED = /^READONLY/;

/** What the driver says where it has no connection to send a command by. */
const NOT_CONNECTED = /enableOfflineQueue|Connection is closed|connection close|max retries per request/;

/** The pause before the try `times` to connect again (ms). */
export function pauseBeforeTry(times: number): number {
  return Math.min(LONGEST_PAUSE_MS, 5 * 2 ** Math.min(times, 10));
}

export function openRedisConnection({ urls, deadlineMs }: RedisConnectionOptions): RedisConnection {
  const client = urls.length > 1 ? openCluster(urls) : openServer(urls[0]!);
  let lostBy = "no connection yet";
  const noteLoss = (error: Error) => {
    lostBy = error.message;
  };
  client.on("error", noteLoss);
  client.on("node error", noteLoss);
  client.on("ready", () => {
    lostBy = "connection lost";
  });

  /** Says why. The driver's own error also holds the command's arguments, and those are nobody's business. */
  async function call(work: Promise<unknown>): Promise<unknown> {
    try {
      return await withinDeadline(work, deadlineMs);
    } catch (error) {
      const { message } = error as Error;
      // The connection is made anew for it: what finds it away meanwhile has the same reason.
      if (DEMOTED.test(message)) lostBy = message;
      throw new Error(NOT_CONNECTED.test(message) ? `not connected: ${lostBy}` : message);
    }
  }

  return {
    script(name, lua) {
      client.defineCommand(name, { lua });
      const run = (client as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[name]!;
      return (keys, args) => call(run.call(client, keys.length, ...keys, ...args));
    },
    publish: (channel, message) => call(client.publish(channel, message)),
    close: () => client.disconnect(),
  };
}

/** One server; it is connected to again after a loss unless told otherwise. */
export function openServer(url: string, { once = false } = {}): Redis {
  const { hostname, port, pathname } = new URL(url);
  const client = new Redis({
    ...connectionOptions(url),
    host: hostname.replace(/^\[|\]$/g, ""),
    port: Number(port || 6379),
    db: Number(pathname.slice(1)),
    enableOfflineQueue: false,
    retryStrategy: once ? null : pauseBeforeTry,
    reconnectOnError: ({ message }) => DEMOTED.test(message),
  });
  endSilentConnections(client);
  return client;
}

function openCluster(urls: readonly string[]): Cluster {
  const isEncrypted = new URL(urls[0]!).protocol === "rediss:";
  const nodes = urls.map((url) => {
    const { hostname, port } = new URL(url);
    return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 6379) };
  });
  const cluster = new Cluster(nodes, {
    redisOptions: connectionOptions(urls[0]!),
    enableOfflineQueue: false,
    clusterRetryStrategy: pauseBeforeTry,
    slotsRefreshTimeout: HANDSHAKE_MS,
    slotsRefreshInterval: SLOTS_EVERY_MS,
    maxRedirections: 3,
    // A command is sent once: what would be sent again after a pause is past its deadline.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    // A node's certificate is for its name, not for the address behind it.
    ...(isEncrypted && { dnsLookup: asWritten }),
  });
  cluster.on("+node", endSilentConnections);
  return cluster;
}

/** In the place of the driver's own timeouts, which count the time that this process was stopped for. */
function endSilentConnections(client: Redis): void {
  client.on("connect", () => endWhenSilent(client.stream, SILENCE_MS));
}

const asWritten: ClusterOptions["dnsLookup"] = (hostname, callback) => callback(null, hostname);

function connectionOptions(url: string) {
  const { protocol, username, password } = new URL(url);
  return {
    ...(username !== "" && { username: decodeURIComponent(username) }),
    ...(password !== "" && { password: decodeURIComponent(password) }),
    ...(protocol === "rediss:" && { tls: {} }),
    connectionName: "kyros",
    connectTimeout: HANDSHAKE_MS,
    disconnectTimeout: GOODBYE_MS,
    // What a lost connection had under way has failed, and is never sent again.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    autoResubscribe: false,
  };
}
