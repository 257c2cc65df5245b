import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createMemoryBus } from "../../src/stores/memory/bus.ts";

describe("the bus of one process", () => {
  it("tells every subscriber of a topic, after the publisher's own turn, and no other", async () => {
    const bus = createMemoryBus();
    const heard: string[] = [];
    bus.subscribe("changes", (message) => heard.push(`first ${message}`));
    bus.subscribe("changes", (message) => heard.push(`second ${message}`));
    bus.subscribe("instances", (message) => heard.push(`other ${message}`));
    bus.publish("changes", "a");
    assert.deepEqual(heard, []);
    await nextTurn();
    assert.deepEqual(heard, ["first a", "second a"]);
  });

  it("tells nobody who has left, and who subscribed twice until both are left", async () => {
    const bus = createMemoryBus();
    let heard = 0;
    const listener = () => {
      heard += 1;
    };
    const [leaveFirst, leaveSecond] = [
      bus.subscribe("changes", listener),
      bus.subscribe("changes", listener),
    ];
    leaveFirst();
    bus.publish("changes", "");
    await nextTurn();
    assert.equal(heard, 1);
    leaveSecond();
    bus.publish("changes", "");
    await nextTurn();
    assert.equal(heard, 1);
  });

  it("is silent once it is closed, also about what was under way", async () => {
    const bus = createMemoryBus();
    bus.subscribe("changes", () => assert.fail("told after the close"));
    assert.equal(bus.connected, true);
    bus.publish("changes", "");
    await bus.close();
    assert.equal(bus.connected, false);
    bus.publish("changes", "");
    await nextTurn();
  });
});
