import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AuditEvent } from "../../src/kernel/audit-event.ts";
import { outageEvents } from "../../src/stores/outage-events.ts";
import { openSharedOutages, reserveSharedOutages } from "../../src/stores/shared-outages.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";

function startThreads(count: number) {
  const shared = reserveSharedOutages(count);
  const told: string[] = [];
  const start = (number: number) =>
    outageEvents(
      {
        clock: manualClock(0),
        events: { record: ({ name, reason }: AuditEvent) => void told.push(`${name}: ${reason}`) },
        onFailure: (error) => assert.fail(String(error)),
        witness: openSharedOutages(shared, number),
      },
      { subject: "redis", recovered: "back" },
    );
  return { told, start, threads: Array.from({ length: count }, (_, n) => start(n + 1)) };
}

describe("outages that threads share", () => {
  it("are told by the first that finds one and the last that does, again each time", () => {
    const { told, threads } = startThreads(3);
    assert.deepEqual(told, []);
    for (let round = 0; round < 2; round++) {
      told.length = 0;
      for (const thread of threads) thread.onOpen(new Error("no reply"));
      for (const thread of threads.slice(1)) thread.onClose();
      assert.deepEqual(told, ["store.degraded: no reply"]);
      threads[0]!.onClose();
      assert.deepEqual(told, ["store.degraded: no reply", "store.recovered: back"]);
    }
  });

  it("are one outage where one thread comes back before another finds it", () => {
    const { told, threads } = startThreads(2);
    threads[0]!.onOpen(new Error("no reply"));
    threads[1]!.onOpen(new Error("no reply"));
    threads[0]!.onClose();
    threads[0]!.onOpen(new Error("again"));
    threads[1]!.onClose();
    threads[0]!.onClose();
    assert.deepEqual(told, ["store.degraded: no reply", "store.recovered: back"]);
  });

  it("end with a thread that died: the next of its number tells", () => {
    const { told, start, threads } = startThreads(2);
    threads[1]!.onOpen(new Error("no reply"));
    const next = start(2);
    assert.deepEqual(told, ["store.degraded: no reply", "store.recovered: back"]);
    next.onOpen(new Error("once more"));
    assert.equal(told.at(-1), "store.degraded: once more");
  });

  it("are told apart by what is away", () => {
    const witness = openSharedOutages(reserveSharedOutages(2), 1);
    assert.equal(witness("redis").begun(), true);
    assert.equal(witness("database").begun(), true);
    assert.equal(witness("database").ended(), true);
    assert.equal(witness("redis").ended(), true);
  });
});
