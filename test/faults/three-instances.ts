import { randomBytes } from "node:crypto";
import type { PostgresServer } from "../stores/postgres-server.ts";
import { startPostgres } from "../stores/postgres-server.ts";
import type { RedisServer } from "../stores/redis-server.ts";
import { startRedis } from "../stores/redis-server.ts";
import type { Instance } from "./instance.ts";
import { runCommand, startInstance } from "./instance.ts";

export const PASSWORD = "correct horse battery staple";

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

/** Three instances of the service over one PostgreSQL and one Redis, as on three machines. */
export interface ThreeInstances {
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
  readonly instances: readonly [Instance, Instance, Instance];
  /** Ends an instance as a crash does, and starts another in its place. */
  replace(index: 0 | 1 | 2): Promise<void>;
  createUser(name: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startThreeInstances(
  variables: Readonly<Record<string, string>> = {},
): Promise<ThreeInstances> {
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  const env = {
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    KYROS_SECRET: randomBytes(64).toString("base64url"),
    KYROS_BCRYPT_COST: "10",
    ...variables,
  };
  await runCommand(["migrate"], env);
  const instances = (await Promise.all([0, 1, 2].map(() => startInstance(env)))) as [
    Instance,
    Instance,
    Instance,
  ];
  return {
    postgres,
    redis,
    instances,
    async replace(index) {
      await instances[index].kill();
      instances[index] = await startInstance(env);
    },
    async createUser(name) {
      await runCommand(["user", "create", name, "--password-stdin"], env, `${PASSWORD}\n`);
    },
    async stop() {
      redis.resume();
      postgres.resume();
      await Promise.all(instances.map((instance) => instance.kill()));
      await Promise.all([redis.stop(), postgres.stop()]);
    },
  };
}

/** Signs a program in; rejects where that does not succeed. */
export async function login(instance: Instance, username: string): Promise<Tokens> {
  const answer = await post(instance, "/auth/login", { username, password: PASSWORD });
  if (answer.status !== 200) throw new Error(`login answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as Tokens;
}

export function post(instance: Instance, path: string, body: unknown, token?: string): Promise<Response> {
  return fetch(instance.url + path, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
}

/** What an instance answers to a token: its status. */
export async function statusOf(instance: Instance, token: string): Promise<number> {
  const answer = await fetch(`${instance.url}/protected`, { headers: { authorization: `Bearer ${token}` } });
  await answer.body?.cancel();
  return answer.status;
}
