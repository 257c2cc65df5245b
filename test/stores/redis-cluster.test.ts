import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { AuditEvent } from "../../src/kernel/audit-event.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { systemRandom } from "../../src/kernel/random.ts";
import { openSharedLimits } from "../../src/stores/shared-limits.ts";
import { eventually } from "./eventually.ts";
import type { RedisCluster } from "./redis-cluster.ts";
import { startRedisCluster } from "./redis-cluster.ts";
import { HASH_KEY, openRedisLimiter } from "./redis-limits.ts";
import { WITHOUT_REDIS } from "./redis-server.ts";

const POLICY = { name: "default", limit: 5, windowMs: 366 * 86_400_000 };

describe("a cluster of three nodes", { skip: WITHOUT_REDIS }, () => {
  let cluster: RedisCluster;
  before(async () => {
    cluster = await startRedisCluster();
  });
  after(() => cluster.stop());

  it("admits exactly the limit of each of 300 keys, taken by two clients at once", async (t) => {
    const [one, other] = [await openRedisLimiter(cluster.urls), await openRedisLimiter(cluster.urls)];
    t.after(() => one.close());
    t.after(() => other.close());
    const allowed = new Map<number, number>();
    await Promise.all(
      Array.from({ length: 300 * 20 }, async (_, at) => {
        const allowance = await (at % 2 === 0 ? one : other).limiter.take(POLICY, `key:${at % 300}`, 0);
        if (allowance.allowed) allowed.set(at % 300, (allowed.get(at % 300) ?? 0) + 1);
      }),
    );
    assert.deepEqual([...new Set(allowed.values())], [5]);
    assert.equal(allowed.size, 300);
    // The counters are spread over all nodes.
    for (const node of cluster.nodes) assert.ok(Number(await node.command("dbsize")) > 30);
  });

  it("goes on after every node has lost its scripts", async (t) => {
    const { limiter, close } = await openRedisLimiter(cluster.urls);
    t.after(close);
    for (const node of cluster.nodes) await node.command("script", "flush");
    const takes = Array.from({ length: 100 }, (_, i) => limiter.take(POLICY, `flushed:${i}`, 0));
    for (const { remaining } of await Promise.all(takes)) assert.equal(remaining, 4);
  });

  it("carries the bus, and is degraded while one of its nodes is away", async (t) => {
    const events: AuditEvent[] = [];
    const shared = await openSharedLimits({
      urls: cluster.urls,
      hashKey: HASH_KEY,
      clock: systemClock,
      random: systemRandom,
      events: { record: (event) => void events.push(event) },
      onFailure: assert.fail as (error: unknown) => void,
    });
    t.after(() => shared.close());
    assert.equal(shared.breaker.state(), "closed");
    const heard: string[] = [];
    shared.bus.subscribe("changes", (message) => heard.push(message));
    await eventually(() => assert.ok(shared.bus.connected));
    shared.bus.publish("changes", "one");
    await eventually(() => assert.ok(heard.includes("one")));

    // Traffic that the two other nodes answer does not hide that the third does not.
    let isOn = true;
    const traffic = (async () => {
      for (let i = 0; isOn; i++) {
        assert.ok((await shared.limiter.take(POLICY, `traffic:${i}`, Date.now())).allowed);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
    cluster.nodes[2]!.pause();
    await eventually(() => assert.equal(events.at(-1)?.name, "store.degraded"));
    for (let i = 0; i < 100; i++)
      assert.ok((await shared.limiter.take(POLICY, `away:${i}`, Date.now())).allowed);
    isOn = false;
    await traffic;
    cluster.nodes[2]!.resume();
    await eventually(() => assert.equal(events.at(-1)?.name, "store.recovered"), 20_000);
    assert.equal(events.length, 2);
    assert.equal(shared.breaker.state(), "closed");
  });
});
