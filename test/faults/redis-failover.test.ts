import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { addUsers } from "../service/add-user.ts";
import { eventually } from "../stores/eventually.ts";
import type { RedisCluster } from "../stores/redis-cluster.ts";
import { startRedisCluster } from "../stores/redis-cluster.ts";
import { startRedis, WITHOUT_REDIS } from "../stores/redis-server.ts";
import { startProxy } from "../stores/tcp-proxy.ts";
import type { Instance } from "./instance.ts";
import { startInstance } from "./instance.ts";
import { bearer, login, post } from "./three-instances.ts";

/** What the instances together grant of tries for one name from one address; as logins round down, each half of it. */
const LOGIN_LIMIT = 4;
const SHARE = LOGIN_LIMIT / 2;
/** So many that each node of the cluster has the counters of some. */
const NAMES = Array.from({ length: 12 }, (_, n) => `guessed-${n}`);
/** A second is stated; the rest is for a machine that does other things too (ms). */
const LOCAL_WITHIN_MS = 5000;
/** The nodes' timeout of 2 s, their vote, and the next look at who has which slots (ms). */
const RECOVERED_WITHIN_MS = 30_000;

interface TwoInstances {
  readonly instances: readonly [Instance, Instance];
  /** What was told of Redis by each, in order. */
  told(): string[][];
  /** How many tries for a name each instance lets through to the password; any failure is thrown. */
  tries(name: string, each: number): Promise<[number, number]>;
  stop(): Promise<void>;
}

async function startTwoInstances(redisUrl: string): Promise<TwoInstances> {
  const dataDir = await mkdtemp(join(tmpdir(), "kyros-failover-"));
  const databaseUrl = `sqlite:${join(dataDir, "kyros.db")}`;
  await addUsers(databaseUrl, { name: "alice" });
  const env = {
    KYROS_DATA_DIR: dataDir,
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    KYROS_REDIS_DEADLINE_MS: "150",
    KYROS_LOGIN_RATE_LIMIT: `${LOGIN_LIMIT}/24h`,
    KYROS_RATE_LIMIT: "1000000/1h",
    KYROS_TRUST_PROXY: "127.0.0.1",
  };
  const first = await startInstance(env);
  const instances = [first, await startInstance(env)] as const;

  async function granted(instance: Instance, username: string, each: number): Promise<number> {
    let count = 0;
    for (let n = 0; n < each; n++) {
      const answer = await post(
        instance,
        "/auth/login",
        { username, password: "a wrong password" },
        { "x-forwarded-for": `198.51.100.${username.split("-")[1]}` },
      );
      await answer.body?.cancel();
      assert.ok([401, 429].includes(answer.status), String(answer.status));
      if (answer.status === 401) count++;
    }
    return count;
  }

  return {
    instances,
    told: () =>
      instances.map(({ log }) =>
        log.filter((line) => line["subject"] === "redis").map((line) => String(line["event"])),
      ),
    async tries(name, each) {
      return [await granted(instances[0], name, each), await granted(instances[1], name, each)];
    },
    async stop() {
      await Promise.all(instances.map((instance) => instance.kill()));
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Asks both instances all the time; resolves at the end to the statuses that were answered. */
function keepAsking(instances: readonly Instance[], token: string) {
  const statuses = new Set<number>();
  let isOn = true;
  const asking = Promise.all(
    instances.map(async ({ url }) => {
      while (isOn) {
        const answer = await fetch(`${url}/protected`, { headers: bearer(token) });
        await answer.body?.cancel();
        statuses.add(answer.status);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }),
  );
  return async () => {
    isOn = false;
    await asking;
    return [...statuses];
  };
}

describe("a Redis that is replaced by another", { skip: WITHOUT_REDIS, timeout: 300_000 }, () => {
  let cluster: RedisCluster;
  before(async () => {
    cluster = await startRedisCluster({ withReplica: true });
  });
  after(() => cluster?.stop());

  it("in a cluster whose master dies: local limits, no looser, until the replica has its slots and counters", async (t) => {
    const two = await startTwoInstances(cluster.urls.join(","));
    t.after(() => two.stop());
    const { access_token } = await login(two.instances[0], "alice");
    // Both know of each other: without that, each would take the whole limit for its own.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    for (const name of NAMES) assert.deepEqual(await two.tries(name, 1), [1, 1]);
    await cluster.nodes[0]!.command("wait", 1, 5000);
    const stopAsking = keepAsking(two.instances, access_token);

    const killedMs = performance.now();
    await cluster.nodes[0]!.kill();
    await eventually(() => {
      for (const told of two.told()) assert.equal(told.at(-1), "store.degraded");
    });
    assert.ok(performance.now() - killedMs < LOCAL_WITHIN_MS);
    for (const name of NAMES.slice(0, 3)) {
      // One each was granted before, and counts: an outage is no fresh start.
      for (const granted of await two.tries(name, SHARE)) assert.ok(granted <= SHARE - 1, `${granted} more`);
    }

    await eventually(async () => {
      assert.match(String(await cluster.replica!.command("info", "replication")), /role:master/);
      for (const told of two.told()) assert.equal(told.at(-1), "store.recovered");
    }, RECOVERED_WITHIN_MS);
    for (const told of two.told()) assert.deepEqual(told, ["store.degraded", "store.recovered"]);
    let still = 0;
    for (const name of NAMES) {
      const [one, other] = await two.tries(name, LOGIN_LIMIT);
      // What was granted before the master died is not granted again.
      assert.ok(one + other <= LOGIN_LIMIT - 2, `${one} and ${other} for ${name}`);
      still += one + other;
    }
    assert.ok(still > 0);
    const [one, other] = await two.tries("guessed-99", LOGIN_LIMIT);
    assert.equal(one + other, LOGIN_LIMIT);
    assert.deepEqual(await stopAsking(), [200]);
  });

  it("behind a name that moved, while the old server lives on as a replica: the new one is found", async (t) => {
    const [old, successor] = [await startRedis(), await startRedis()];
    t.after(() => Promise.all([old.stop(), successor.stop()]));
    const name = await startProxy(old.port);
    t.after(() => name.stop());
    const two = await startTwoInstances(name.url);
    t.after(() => two.stop());
    const { access_token } = await login(two.instances[0], "alice");
    const stopAsking = keepAsking(two.instances, access_token);
    assert.ok((await two.tries("guessed-1", 1)).every((granted) => granted === 1));

    await successor.command("replicaof", "127.0.0.1", old.port);
    await eventually(async () =>
      assert.match(String(await successor.command("info", "replication")), /master_link_status:up/),
    );
    await successor.command("replicaof", "no", "one");
    await old.command("replicaof", "127.0.0.1", successor.port);
    await eventually(() => {
      for (const told of two.told()) assert.equal(told.at(-1), "store.degraded");
    });
    name.leadTo(successor.port);
    await eventually(() => {
      for (const told of two.told()) assert.equal(told.at(-1), "store.recovered");
    });
    const [one, other] = await two.tries("guessed-1", LOGIN_LIMIT);
    assert.ok(one + other <= LOGIN_LIMIT - 2, `${one} and ${other}`);
    assert.deepEqual(await stopAsking(), [200]);
  });
});
