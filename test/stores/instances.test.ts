import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { openRedisConnection } from "../../src/stores/redis/connection.ts";
import { createInstances, FAREWELL_SCRIPT, HEARTBEAT_SCRIPT } from "../../src/stores/redis/instances.ts";
import { eventually } from "./eventually.ts";
import { startRedis, WITHOUT_REDIS } from "./redis-server.ts";

describe("instances", { skip: WITHOUT_REDIS }, () => {
  it("count each other by heartbeats in Redis, and those that leave no more", async (t) => {
    const server = await startRedis();
    t.after(() => server.stop());
    const connection = openRedisConnection({ urls: [server.url], deadlineMs: 1000 });
    t.after(() => connection.close());
    const heartbeat = connection.script("heartbeat", HEARTBEAT_SCRIPT);
    const farewell = connection.script("farewell", FAREWELL_SCRIPT);
    const [a, b, c] = ["a", "b", "c"].map((id) => createInstances(id, heartbeat, farewell)) as [
      ReturnType<typeof createInstances>,
      ReturnType<typeof createInstances>,
      ReturnType<typeof createInstances>,
    ];
    assert.equal(a.count(), 1);
    await eventually(() => a.beat());
    for (const instance of [b, c, a, b]) await instance.beat();
    assert.deepEqual([a.count(), b.count(), c.count()], [3, 3, 3]);

    await c.leave();
    await a.beat();
    assert.equal(a.count(), 3, "a count that falls is not believed at once");
    for (let i = 0; i < 10; i++) await a.beat();
    assert.equal(a.count(), 2);

    // What is silent for five seconds, or from a clock that was ahead, is not alive.
    await server.command("zadd", "kyros:instances", 1, "dead", 9e15, "ahead");
    for (let i = 0; i < 10; i++) await a.beat();
    assert.equal(a.count(), 2);
  });

  it("keep the count that they know while Redis is away or was emptied", async () => {
    const replies: (number | Error)[] = [3, new Error("away"), 1, 1];
    const instances = createInstances(
      "a",
      async () => {
        const reply = replies.shift()!;
        if (reply instanceof Error) throw reply;
        return reply;
      },
      async () => 1,
    );
    await instances.beat();
    await assert.rejects(instances.beat());
    assert.equal(instances.count(), 3);
    for (let i = 0; i < 2; i++) await instances.beat();
    assert.equal(instances.count(), 3);
  });
});
