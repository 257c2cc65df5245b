import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Role } from "../../src/kernel/principal.ts";
import { addUsers, PASSWORD } from "../service/add-user.ts";
import type { PostgresServer } from "../stores/postgres-server.ts";
import { startPostgres } from "../stores/postgres-server.ts";
import type { RedisServer } from "../stores/redis-server.ts";
import { startRedis } from "../stores/redis-server.ts";
import type { TcpProxy } from "../stores/tcp-proxy.ts";
import { startProxy } from "../stores/tcp-proxy.ts";
import type { Instance } from "./instance.ts";
import { startInstance } from "./instance.ts";

export { PASSWORD };

/** The header that shows an access token. */
export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

/** Three instances of the service over one PostgreSQL and one Redis, as on three machines. */
export interface ThreeInstances {
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
  /** What the instances reach Redis by, where that was asked for. */
  readonly redisProxy?: TcpProxy | undefined;
  readonly instances: readonly [Instance, Instance, Instance];
  /** Ends an instance as a crash does, and starts another in its place. */
  replace(index: 0 | 1 | 2): Promise<void>;
  createUser(name: string, role?: Role): Promise<void>;
  /** Takes another server, on the same port, for the one that was killed. */
  useRedis(server: RedisServer): void;
  /** What an instance answers to a sign-in from an address: its status. */
  tryLogin(index: number, username: string, password: string, address: string): Promise<number>;
  stop(): Promise<void>;
}

export async function startThreeInstances(
  variables: Readonly<Record<string, string>> = {},
  { proxiedRedis = false } = {},
): Promise<ThreeInstances> {
  const [postgres, firstRedis] = await Promise.all([startPostgres(), startRedis()]);
  const servers = [firstRedis];
  const redisProxy = proxiedRedis ? await startProxy(firstRedis.port) : undefined;
  const dataDir = await mkdtemp(join(tmpdir(), "kyros-three-"));
  const env = {
    KYROS_DATA_DIR: dataDir,
    DATABASE_URL: postgres.url,
    REDIS_URL: (redisProxy ?? firstRedis).url,
    KYROS_SECRET: randomBytes(64).toString("base64url"),
    KYROS_BCRYPT_COST: "10",
    // So that a test may be a client at any address.
    KYROS_TRUST_PROXY: "127.0.0.1",
    ...variables,
  };
  // With no user, this migrates.
  await addUsers(postgres.url);
  const starts = await Promise.allSettled([0, 1, 2].map(() => startInstance(env)));
  const instances = starts.flatMap((one) => (one.status === "fulfilled" ? one.value : [])) as [
    Instance,
    Instance,
    Instance,
  ];
  async function stop(): Promise<void> {
    servers.at(-1)!.resume();
    postgres.resume();
    await Promise.all(instances.map((instance) => instance.kill()));
    await redisProxy?.stop();
    await Promise.all([...servers.map((server) => server.stop()), postgres.stop()]);
    await rm(dataDir, { recursive: true, force: true });
  }
  const failed = starts.find((one) => one.status === "rejected");
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  return {
    postgres,
    get redis() {
      return servers.at(-1)!;
    },
    redisProxy,
    instances,
    useRedis: (server) => void servers.push(server),
    async replace(index) {
      await instances[index].kill();
      instances[index] = await startInstance(env);
    },
    async createUser(name, role = "user") {
      await addUsers(postgres.url, { name, role });
    },
    async tryLogin(index, username, password, address) {
      const answer = await post(
        instances[index]!,
        "/auth/login",
        { username, password },
        { "x-forwarded-for": address },
      );
      await answer.body?.cancel();
      return answer.status;
    },
    stop,
  };
}

/** Signs a program in; rejects where that does not succeed. */
export async function login(instance: Instance, username: string): Promise<Tokens> {
  const answer = await post(instance, "/auth/login", { username, password: PASSWORD });
  if (answer.status !== 200) throw new Error(`login answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as Tokens;
}

export function post(
  instance: Instance,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(instance.url + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}

/** What an instance answers to a token: its status. */
export async function statusOf(instance: Instance, token: string): Promise<number> {
  const answer = await fetch(`${instance.url}/protected`, { headers: bearer(token) });
  await answer.body?.cancel();
  return answer.status;
}
