import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { AuditStore } from "../../src/identity/audit/audit-store.ts";
import { truncateTrail } from "../../src/identity/audit/retention.ts";
import { CHECKPOINT_EVERY, checkpointOf } from "../../src/identity/audit/trail.ts";
import { verifyStore } from "../../src/identity/audit/verify-trail.ts";
import { Outage } from "../../src/kernel/failure.ts";
import { createMemoryAuditStore } from "../../src/stores/memory/audit-store.ts";
import { SAMPLE_NOW_MS as NOW_MS } from "../../src/testing/samples.ts";
import { event, openTrail, signer, stranger } from "./chains.ts";

const trusted = { publicKeys: signer.publicKeys };

/** A store in memory that counts its appends, and fails them while it is told to. */
function failingStore() {
  const store = createMemoryAuditStore();
  const state = { appends: 0, failing: false };
  const audit: AuditStore = {
    ...store,
    async append(link) {
      state.appends += 1;
      await pause(1);
      if (state.failing) throw new Error("disk full");
      await store.append(link);
    },
  };
  return { audit, state };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let n = 0; n < 2000 && !(await condition()); n += 1) await pause(5);
  assert.ok(await condition());
}

describe("the trail", () => {
  it("resolves once the entry is there, and takes what arrives meanwhile together", async () => {
    const { audit, state } = failingStore();
    const { trail } = openTrail(audit);
    await trail.record(event());
    assert.equal((await audit.head())?.seq, 1);
    const first = trail.record(event());
    await pause(0);
    const rest = Array.from({ length: 200 }, () => trail.record(event()));
    await Promise.all([first, ...rest]);
    assert.equal((await audit.head())?.seq, 202);
    assert.ok(state.appends <= 6, `${state.appends} commits`);
    assert.equal((await verifyStore(audit, trusted)).kind, "whole");
    await trail.close();
  });

  it("prepares one commit while another is on its way to the disk, and no more than that", async () => {
    const store = createMemoryAuditStore();
    const disk = Promise.withResolvers<void>();
    const linked: number[] = [];
    const audit: AuditStore = {
      ...store,
      async append(link) {
        await store.append((head) => {
          const appendix = link(head);
          linked.push(appendix.entries.length);
          return appendix;
        });
        await disk.promise;
      },
    };
    const { trail } = openTrail(audit);
    const acts = Array.from({ length: 300 }, () => trail.record(event()));
    await pause(20);
    assert.deepEqual(linked, [150, 75]);
    assert.equal(trail.status.waiting, 75);
    disk.resolve();
    await Promise.all(acts);
    assert.equal((await audit.head())?.seq, 300);
    await trail.close();
  });

  it("refuses at once while it cannot be written, tells so, and recovers by itself", async () => {
    const { audit, state } = failingStore();
    const { trail, announced, failures } = openTrail(audit);
    await trail.record(event());
    state.failing = true;
    const waiting = Array.from({ length: 5 }, async () => trail.record(event()));
    for (const one of await Promise.allSettled(waiting)) {
      assert.ok(one.status === "rejected" && one.reason instanceof Outage);
    }
    assert.throws(() => trail.assertWritable(), Outage);
    await assert.rejects(async () => trail.record(event()), Outage);
    assert.equal(trail.status.writable, false);
    assert.equal(failures.length, 1);
    state.failing = false;
    await until(() => trail.status.writable);
    trail.assertWritable();
    await trail.record(event());
    const types = (await audit.entriesAfter(0, 10)).map(({ type }) => type);
    const login = "auth.login.succeeded";
    assert.deepEqual(types, [login, "store.degraded", "store.recovered", login]);
    assert.deepEqual(
      announced.map(({ name }) => name),
      ["store.degraded", "store.recovered"],
    );
    await trail.close();
  });

  it("keeps what is told of stores while it cannot be written, and writes it with its time once it can", async () => {
    const { audit, state } = failingStore();
    const { trail } = openTrail(audit);
    state.failing = true;
    const system = { actor: { kind: "system" }, subject: "database" } as const;
    await trail.record(event({ ...system, name: "store.degraded", atMs: NOW_MS - 9000 }));
    await until(() => !trail.status.writable);
    await trail.record(event({ ...system, name: "store.recovered", atMs: NOW_MS - 1000 }));
    state.failing = false;
    await until(async () => (await audit.head())?.seq === 4);
    const entries = await audit.entriesAfter(0, 10);
    assert.deepEqual(
      entries.filter(({ subject }) => subject === "database").map(({ type, atMs }) => [type, atMs]),
      [
        ["store.degraded", NOW_MS - 9000],
        ["store.recovered", NOW_MS - 1000],
      ],
    );
    assert.equal(trail.status.dropped, 0);
    await trail.close();
  });

  it("bounds what waits: beyond, an act is refused", async () => {
    const audit: AuditStore = { ...createMemoryAuditStore(), append: () => new Promise(() => undefined) };
    const { trail } = openTrail(audit);
    let refused = 0;
    for (let n = 0; n < 11_000; n += 1) {
      void Promise.resolve(trail.record(event())).catch((error) => {
        assert.ok(error instanceof Outage);
        refused += 1;
      });
    }
    await pause(1);
    assert.equal(refused, 1000);
    assert.ok(trail.status.waiting <= 10_000);
  });

  it("has a checkpoint at every multiple, and verification misses one that was taken away", async () => {
    const { audit } = failingStore();
    const { trail } = openTrail(audit);
    const count = 2 * CHECKPOINT_EVERY + 10;
    await Promise.all(Array.from({ length: count }, () => trail.record(event())));
    const statements = await audit.statements();
    assert.deepEqual(
      statements.map(({ seq }) => seq),
      [CHECKPOINT_EVERY, 2 * CHECKPOINT_EVERY],
    );
    assert.equal((await verifyStore(audit, trusted)).kind, "whole");
    const without = { ...audit, statements: async () => statements.slice(1) };
    const verdict = await verifyStore(without, trusted);
    assert.deepEqual(verdict.kind === "broken" && verdict.seq, CHECKPOINT_EVERY);
    const foreign = { publicKeys: stranger.publicKeys };
    assert.equal((await verifyStore(audit, foreign)).kind, "broken");
    await trail.close();
  });

  it("shows a cut tail only to whoever kept a checkpoint, or where the head was left behind", async () => {
    const { audit } = failingStore();
    const { trail } = openTrail(audit);
    for (let n = 0; n < 5; n += 1) await trail.record(event());
    const checkpoint = await checkpointOf(audit, signer, NOW_MS);
    const cut = {
      ...audit,
      entriesAfter: async (seq: number, limit: number) =>
        (await audit.entriesAfter(seq, limit)).filter((entry) => entry.seq <= 3),
    };
    const headless = { ...cut, head: async () => (await cut.entriesAfter(0, 10)).at(-1) };
    const faults = async (store: AuditStore, kept = {}) => {
      const verdict = await verifyStore(store, { ...trusted, ...kept });
      return verdict.kind === "broken" ? [verdict.fault, verdict.seq] : verdict.kind;
    };
    assert.deepEqual(await faults(cut), ["truncated", 4]);
    assert.equal(await faults(headless), "whole");
    assert.deepEqual(await faults(headless, { checkpoint }), ["truncated", 4]);
    assert.equal(await faults(audit, { checkpoint }), "whole");
    const forged = stranger.sign("checkpoint", checkpoint, NOW_MS);
    assert.deepEqual((await faults(audit, { checkpoint: forged }))[0], "rewritten");
    await trail.close();
  });

  it("forgets the old with a signed record, and is verified from there on", async () => {
    const { audit } = failingStore();
    const { trail } = openTrail(audit);
    for (let n = 0; n < 20; n += 1) await trail.record(event({ atMs: NOW_MS + n }));
    assert.equal(await truncateTrail(audit, signer, NOW_MS + 10, NOW_MS + 100), 10);
    assert.equal(await truncateTrail(audit, signer, NOW_MS + 10, NOW_MS + 100), 0);
    const verdict = await verifyStore(audit, trusted);
    assert.deepEqual(verdict.kind === "whole" && [verdict.base.seq, verdict.entries], [10, 10]);
    const unsigned = { ...audit, statements: async () => [] };
    assert.deepEqual(await verifyStore(unsigned, trusted), {
      kind: "broken",
      seq: 1,
      fault: "missing",
      finding: "entries 1 to 10 are missing",
    });
    assert.equal(await truncateTrail(audit, signer, NOW_MS + 1e9, NOW_MS + 100), 9);
    assert.equal((await audit.entriesAfter(0, 10)).length, 1, "the latest entry stays");
    await trail.record(event());
    assert.equal((await verifyStore(audit, trusted)).kind, "whole");
    await trail.close();
  });
});
