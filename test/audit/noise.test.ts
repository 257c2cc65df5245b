import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { AuditStore } from "../../src/identity/audit/audit-store.ts";
import { createNoiseFilter, NOISE_WINDOW_MS } from "../../src/identity/audit/noise.ts";
import { createMemoryAuditStore } from "../../src/stores/memory/audit-store.ts";
import { SAMPLE_NOW_MS as NOW_MS } from "../../src/testing/samples.ts";
import { event, openTrail } from "./chains.ts";

const anonymous = { kind: "anonymous" } as const;
const limited = (parts = {}) =>
  event({ name: "rate_limit.exceeded", outcome: "failure", actor: anonymous, reason: "limit", ...parts });
const failed = (subject: string, parts = {}) =>
  event({ name: "auth.login.failed", outcome: "failure", actor: anonymous, subject, ...parts });

describe("noise in the trail", () => {
  it("is written once per source and minute, and then only counted", async () => {
    const audit = createMemoryAuditStore();
    const { trail, clock } = openTrail(audit);
    for (let n = 0; n < 1000; n += 1) trail.record(limited({ requestId: `r${n}`, path: `/${n}` }));
    trail.record(limited({ address: "198.51.100.7" }));
    for (let n = 0; n < 10; n += 1) trail.record(limited({ name: "access.denied" }));
    await pause(20);
    const entries = await audit.entriesAfter(0, 10);
    assert.deepEqual(
      entries.map(({ type, address, count, path }) => [type, address, count, path]),
      [
        ["rate_limit.exceeded", "192.0.2.1", 1, "/0"],
        ["rate_limit.exceeded", "198.51.100.7", 1, null],
        ["access.denied", "192.0.2.1", 1, null],
      ],
    );
    clock.advance(NOISE_WINDOW_MS);
    while ((await audit.head())!.seq < 5) await pause(5);
    const counted = (await audit.entriesAfter(3, 10)).map(
      ({ type, address, count, reason, path, details }) => ({
        row: [type, address, count, reason, path],
        details,
      }),
    );
    const details = '{"since":"2023-11-14T22:13:20.123Z"}';
    assert.deepEqual(counted, [
      { row: ["rate_limit.exceeded", "192.0.2.1", 999, "limit", null], details },
      { row: ["access.denied", "192.0.2.1", 9, "limit", null], details },
    ]);
    await trail.close();
  });

  it("has a few failed sign-ins in full and waited for, whatever name each tries", async () => {
    const audit = createMemoryAuditStore();
    const { trail } = openTrail(audit);
    for (let n = 0; n < 50; n += 1) await trail.record(failed(`user${n}`));
    assert.deepEqual(
      (await audit.entriesAfter(0, 10)).map(({ subject }) => subject),
      ["user0", "user1", "user2"],
    );
    await trail.close();
    const last = (await audit.entriesAfter(3, 10)).map(({ subject, count }) => [subject, count]);
    assert.deepEqual(last, [[null, 47]], "closing writes what was counted");
  });

  it("stays bounded however many sources there are", () => {
    const filter = createNoiseFilter();
    const verdicts = { all: 0, noise: 0, counted: 0 };
    for (let n = 0; n < 20_000; n += 1) {
      verdicts[filter.judge(limited({ address: `10.${n >> 8}.${n & 255}.1` }))] += 1;
    }
    assert.deepEqual(verdicts, { all: 0, noise: 1025, counted: 20_000 - 1025 });
    const summaries = filter.takeOver(NOW_MS + NOISE_WINDOW_MS);
    assert.deepEqual(
      summaries.map(({ count, event: { address, details } }) => [count, address, details?.["sources"]]),
      [[20_000 - 1025, undefined, "others"]],
    );
  });

  it("takes a block of IPv6 addresses for one source, and a user wherever from for one", () => {
    const filter = createNoiseFilter();
    assert.equal(filter.judge(limited({ address: "2001:db8::1" })), "noise");
    assert.equal(filter.judge(limited({ address: "2001:db8:0:1::2" })), "counted");
    const actor = { kind: "user", id: "u1", name: "alice" } as const;
    assert.equal(filter.judge(limited({ actor })), "noise");
    assert.equal(filter.judge(limited({ actor, address: "198.51.100.1" })), "counted");
  });

  it("of an outage is counted, and told once the trail is writable again", async () => {
    const store = createMemoryAuditStore();
    let failing = true;
    const audit: AuditStore = {
      ...store,
      async append(link) {
        if (failing) throw new Error("disk full");
        await store.append(link);
      },
    };
    const { trail, clock } = openTrail(audit);
    for (let n = 0; n < 10; n += 1) assert.equal(trail.record(limited()), undefined);
    await pause(20);
    failing = false;
    while (!trail.status.writable) await pause(5);
    clock.advance(NOISE_WINDOW_MS);
    while (((await store.head())?.seq ?? 0) < 3) await pause(5);
    const last = (await store.entriesAfter(2, 1))[0]!;
    assert.deepEqual([last.type, last.count], ["rate_limit.exceeded", 10]);
    await trail.close();
  });

  it("is not what a change of anything is: each of those is written", async () => {
    const audit = createMemoryAuditStore();
    const { trail } = openTrail(audit);
    for (let n = 0; n < 100; n += 1) await trail.record(event({ name: "auth.token.refreshed" }));
    assert.equal((await audit.head())?.seq, 100);
    await trail.close();
  });
});
