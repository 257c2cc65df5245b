import { after, before, describe } from "node:test";
import type { ChallengeStore } from "../../src/identity/factors/challenge.ts";
import { challengeStoreContract } from "../../src/testing/challenge-store-contract.ts";
import type { RedisChallenges } from "./redis-challenges.ts";
import { openRedisChallenges } from "./redis-challenges.ts";
import type { RedisCluster } from "./redis-cluster.ts";
import { startRedisCluster } from "./redis-cluster.ts";
import type { RedisServer } from "./redis-server.ts";
import { startRedis, WITHOUT_REDIS } from "./redis-server.ts";
import { openTemporaryStores } from "./temporary-stores.ts";

describe("challenges in Redis", { skip: WITHOUT_REDIS }, () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());

  /** Over an empty Redis and an empty SQLite. */
  async function open(pick: (opened: RedisChallenges) => ChallengeStore, url = server.url) {
    await server.command("flushall");
    const stores = await openTemporaryStores();
    const opened = await openRedisChallenges([url], { database: stores.challenges });
    return {
      challenges: pick(opened),
      async close() {
        opened.close();
        await stores.close();
      },
    };
  }

  describe("of one server", () => {
    challengeStoreContract(() => open(({ shared }) => shared), { goesByItself: true });
  });

  describe("as instances use them", () => {
    challengeStoreContract(() => open(({ challenges }) => challenges), { goesByItself: true });
  });

  describe("while Redis is left alone", () => {
    challengeStoreContract(() =>
      open(({ challenges, breaker }) => {
        breaker.open(new Error("away"));
        return challenges;
      }),
    );
  });
});

describe("challenges in a cluster of three nodes", { skip: WITHOUT_REDIS }, () => {
  let cluster: RedisCluster;
  before(async () => {
    cluster = await startRedisCluster();
  });
  after(() => cluster.stop());

  challengeStoreContract(
    async () => {
      for (const node of cluster.nodes) await node.command("flushall");
      const { challenges, close } = await openRedisChallenges(cluster.urls);
      return { challenges, close: async () => close() };
    },
    { goesByItself: true },
  );
});
