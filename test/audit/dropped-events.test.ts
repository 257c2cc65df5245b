import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { AuditStore } from "../../src/identity/audit/audit-store.ts";
import { createDelivery } from "../../src/service/audit-sinks/delivery.ts";
import { createMemoryAuditStore } from "../../src/stores/memory/audit-store.ts";
import { event, openTrail } from "./chains.ts";

/** A trail whose store fails while it is told to. */
function open() {
  const store = createMemoryAuditStore();
  const state = { failing: false };
  const audit: AuditStore = {
    ...store,
    async append(link) {
      if (state.failing) throw new Error("disk full");
      await store.append(link);
    },
  };
  const opened = openTrail(audit);
  const { trail, announced } = opened;
  const outage = async (events: number): Promise<void> => {
    state.failing = true;
    for (let n = 0; n < events; n += 1) {
      await trail.record(event({ name: "store.degraded", actor: { kind: "system" }, subject: "redis" }));
    }
    await until(() => !trail.status.writable);
  };
  const recovery = async () => {
    const { length } = announced;
    state.failing = false;
    await until(() => announced.length > length);
    return announced.at(-1)!;
  };
  return { ...opened, audit, outage, recovery };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let n = 0; n < 2000 && !(await condition()); n += 1) await pause(5);
  assert.ok(await condition());
}

describe("events of stores while the trail cannot be written", () => {
  it("are kept up to a bound, and the recovery tells how many of its outage were dropped", async () => {
    const { trail, audit, outage, recovery } = open();
    await outage(1250);
    const recovered = await recovery();
    assert.equal(recovered.name, "store.recovered");
    assert.deepEqual(recovered.details, { dropped: 250 });
    const ofRedis = async () =>
      (await audit.entriesAfter(0, 2000)).filter(({ subject }) => subject === "redis").length;
    await until(async () => (await ofRedis()) === 1000);
    assert.equal(trail.status.dropped, 250);

    await outage(3);
    assert.deepEqual((await recovery()).details, { dropped: 0 }, "the next outage has dropped none");
    await trail.close();
    assert.equal(await ofRedis(), 1003);
  });

  it("are counted, and told as missing, where the trail is closed before it could be written", async () => {
    const { trail, failures, outage } = open();
    await outage(3);
    assert.equal(failures.length, 1);
    await trail.close();
    assert.equal(trail.status.dropped, 3);
    assert.equal(failures.length, 2);
    assert.match((failures[1] as Error).message, /^3 events could not be written to the audit trail$/);
  });
});

describe("what a sink has missed", () => {
  it("is told when it begins and, with its number, when there is room again, once each", async () => {
    const told: string[] = [];
    let down = true;
    const parcel = { line: "a line", name: "auth.logout", atMs: 0, failed: false };
    const delivery = createDelivery({
      mostWaiting: 10,
      pauseMs: 1,
      onFailure: (error) => void told.push((error as Error).message),
      sender: {
        async send() {
          if (down) throw new Error("away");
        },
      },
    });
    for (const times of [25, 14]) {
      down = true;
      for (let n = 0; n < times; n += 1) delivery.push(parcel);
      await until(() => told.includes("away"));
      down = false;
      await until(() => delivery.waiting === 0);
      await pause(5);
      assert.deepEqual(told.splice(0), [
        "the buffer is full: lines are missed from here on",
        "away",
        `it takes lines again, and has missed ${times - 10}`,
      ]);
    }
    await delivery.close();
    assert.deepEqual(told, []);
  });
});
