import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { describe, it } from "node:test";
import type { Bus } from "../../src/kernel/bus.ts";
import { steadyClock } from "../../src/kernel/clock.ts";
import { openRedisConnection } from "../../src/stores/redis/connection.ts";
import { createRedisBus } from "../../src/stores/redis/redis-bus.ts";
import { eventually } from "./eventually.ts";
import type { RedisServer } from "./redis-server.ts";
import { startRedis, WITHOUT_REDIS } from "./redis-server.ts";

let buses = 0;

function openBus(t: TestContext, server: RedisServer, clock = steadyClock): Bus {
  const { publish, close } = openRedisConnection({ urls: [server.url], deadlineMs: 200 });
  const bus = createRedisBus({ urls: [server.url], id: `bus-${buses++}`, publish, clock });
  t.after(async () => {
    await bus.close();
    close();
  });
  return bus;
}

async function start(t: TestContext): Promise<RedisServer> {
  const server = await startRedis();
  t.after(() => server.stop());
  return server;
}

const connected = (...buses: readonly Bus[]) =>
  eventually(() => assert.ok(buses.every((bus) => bus.connected)));
const disconnected = (bus: Bus) => eventually(() => assert.ok(!bus.connected), 2000);

describe("redis bus", { skip: WITHOUT_REDIS }, () => {
  it("tells every instance, itself too, by topic and in order, until unsubscribed", async (t) => {
    const server = await start(t);
    const [one, other] = [openBus(t, server), openBus(t, server)];
    await connected(one, other);
    const heard = { one: [] as string[], other: [] as string[], instances: [] as string[] };
    one.subscribe("changes", (message) => heard.one.push(message));
    const unsubscribe = other.subscribe("changes", (message) => heard.other.push(message));
    other.subscribe("instances", (message) => heard.instances.push(message));
    const messages = Array.from({ length: 50 }, (_, i) => `change ${i} – ü`);
    for (const message of messages) one.publish("changes", message);
    other.publish("instances", "hello");
    await eventually(() => {
      assert.deepEqual(heard, { one: messages, other: messages, instances: ["hello"] });
    });
    unsubscribe();
    one.publish("changes", "last");
    await eventually(() => assert.equal(heard.one.at(-1), "last"));
    assert.deepEqual(heard.other, messages);
  });

  it("says that it is not connected before it is, and publishing then loses the message at once", async (t) => {
    const server = await start(t);
    const bus = openBus(t, server);
    assert.equal(bus.connected, false);
    bus.publish("changes", "lost");
    await connected(bus);
  });

  it("knows that it is cut off, from a server that is killed and from one that says nothing", async (t) => {
    const server = await start(t);
    const bus = openBus(t, server);
    const heard: string[] = [];
    bus.subscribe("changes", (message) => heard.push(message));
    await connected(bus);
    heard.length = 0;

    server.pause();
    await disconnected(bus);
    server.resume();
    await connected(bus);

    await server.kill();
    await disconnected(bus);
    heard.length = 0;
    const next = await startRedis({ port: server.port });
    t.after(() => next.stop());
    await connected(bus);
    assert.deepEqual(heard, [""], "what may have been missed is worth one look");
    await next.command("publish", "kyros:bus:changes", "again");
    await eventually(() => assert.deepEqual(heard, ["", "again"]));
  });

  it("is not connected right after this process was stopped for a while, until it has caught up", async (t) => {
    const server = await start(t);
    let stoppedForMs = 0;
    const bus = openBus(t, server, { now: () => steadyClock.now() + stoppedForMs });
    await connected(bus);
    stoppedForMs = 30_000;
    assert.equal(bus.connected, false);
    await connected(bus);
  });

  it("survives a subscriber that the server throws out", async (t) => {
    const server = await start(t);
    const bus = openBus(t, server);
    const heard: string[] = [];
    bus.subscribe("changes", (message) => heard.push(message));
    await connected(bus);
    heard.length = 0;
    await server.command("client", "kill", "type", "pubsub");
    await eventually(() => assert.deepEqual(heard, [""]));
    assert.ok(bus.connected);
    bus.publish("changes", "on");
    await eventually(() => assert.deepEqual(heard, ["", "on"]));
  });
});
