import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { addUsers } from "../service/add-user.ts";
import { eventually } from "../stores/eventually.ts";
import type { RedisServer } from "../stores/redis-server.ts";
import { startRedis, WITHOUT_REDIS } from "../stores/redis-server.ts";
import type { TcpProxy } from "../stores/tcp-proxy.ts";
import { startProxy } from "../stores/tcp-proxy.ts";
import type { Instance } from "./instance.ts";
import { startInstance } from "./instance.ts";
import { post } from "./three-instances.ts";

/** An odd number: halves of it would be rounded. */
const LOGIN_LIMIT = 5;
const TRIES = 12;
/** So many connections reach both workers, but for one time in 2^19. */
const BOTH = 20;

describe("two workers over one Redis that fails", { skip: WITHOUT_REDIS, timeout: 300_000 }, () => {
  let redis: RedisServer;
  let proxy: TcpProxy;
  let dataDir: string;
  let service: Instance;
  let names = 0;
  before(async () => {
    redis = await startRedis();
    proxy = await startProxy(redis.port);
    dataDir = await mkdtemp(join(tmpdir(), "kyros-redis-workers-"));
    const databaseUrl = `sqlite:${join(dataDir, "kyros.db")}`;
    await addUsers(databaseUrl);
    const env = {
      KYROS_DATA_DIR: dataDir,
      DATABASE_URL: databaseUrl,
      REDIS_URL: proxy.url,
      KYROS_REDIS_DEADLINE_MS: "150",
      KYROS_LOGIN_RATE_LIMIT: `${LOGIN_LIMIT}/24h`,
      KYROS_RATE_LIMIT: "1000000/1h",
      KYROS_TRUST_PROXY: "127.0.0.1",
    };
    service = await startInstance(env, ["--workers", "2"]);
  });
  after(async () => {
    redis?.resume();
    await service?.stop();
    await proxy?.stop();
    await redis?.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  const told = () =>
    service.log.filter((line) => line["subject"] === "redis").map((line) => String(line["event"]));

  /** Each of many connections, so that both workers are asked. */
  async function bothShow(status: "ok" | "degraded"): Promise<void> {
    for (let n = 0; n < BOTH; n++) {
      const answer = await fetch(`${service.url}/readyz`, { headers: { connection: "close" } });
      assert.equal(answer.status, 200);
      const body = (await answer.json()) as { dependencies: { redis: { status: string } } };
      assert.equal(body.dependencies.redis.status, status);
    }
  }

  /** How many tries for one name both let through together. */
  async function triesGranted(): Promise<number> {
    names++;
    let granted = 0;
    for (let n = 0; n < TRIES; n++) {
      const answer = await post(
        service,
        "/auth/login",
        { username: `guessed-${names}`, password: "a wrong password" },
        { connection: "close", "x-forwarded-for": `198.51.100.${names}` },
      );
      await answer.body?.cancel();
      assert.ok([401, 429].includes(answer.status), String(answer.status));
      if (answer.status === 401) granted++;
    }
    return granted;
  }

  it("are one instance to others", async () => {
    await bothShow("ok");
    assert.equal(await redis.command("zcard", "kyros:instances"), 1);
    assert.equal(await triesGranted(), LOGIN_LIMIT);
  });

  for (const [what, begin, end] of [
    ["slowed to 200 ms", () => proxy.delay(200), () => proxy.delay(0)],
    ["stopped", () => redis.pause(), () => redis.resume()],
  ] as const) {
    it(`${what}: one table of limits for both, no 5xx, told once each way, and shared again by itself`, async () => {
      await eventually(() => bothShow("ok"));
      const before = told().length;
      begin();
      try {
        await eventually(() => bothShow("degraded"));
        // The whole limit, as there is one instance: each worker with a table or a share of its own would grant another number.
        assert.equal(await triesGranted(), LOGIN_LIMIT);
        assert.equal(told().at(-1), "store.degraded");
      } finally {
        end();
      }
      await eventually(() => bothShow("ok"));
      await eventually(() => assert.equal(told().at(-1), "store.recovered"));
      // On a busy machine there may be another outage, of its own; never twice for one change.
      const since = told().slice(before);
      assert.ok(since.length >= 2);
      assert.deepEqual(
        since,
        since.map((_, n) => (n % 2 === 0 ? "store.degraded" : "store.recovered")),
      );
      await eventually(async () => assert.equal(await triesGranted(), LOGIN_LIMIT));
    });
  }
});
