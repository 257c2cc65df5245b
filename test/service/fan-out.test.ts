import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuditEvent } from "../../src/kernel/audit-event.ts";
import { fanOut } from "../../src/service/fan-out.ts";

const EVENT: AuditEvent = {
  name: "auth.logout",
  atMs: 0,
  outcome: "success",
  actor: { kind: "anonymous" },
};

test("every sink is told, and nothing is waited for where nothing has to be", () => {
  const told: string[] = [];
  const sink = fanOut(
    ["one", "two"].map((name) => ({ record: ({ name: event }) => void told.push(`${name} ${event}`) })),
  );
  assert.equal(sink.record(EVENT), undefined);
  assert.deepEqual(told, ["one auth.logout", "two auth.logout"]);
});

test("where one cannot record, the others are told all the same, and the failure is not lost", async () => {
  for (const failing of [
    () => Promise.reject(new Error("disk full")),
    () => {
      throw new Error("disk full");
    },
  ]) {
    let told = 0;
    const late = () => new Promise<void>((resolve) => setImmediate(() => resolve(void told++)));
    const sink = fanOut([{ record: failing }, { record: () => void told++ }, { record: late }]);
    await assert.rejects(async () => sink.record(EVENT), { message: "disk full" });
    assert.equal(told, 2);
  }
});
