import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Outage } from "../../src/kernel/failure.ts";
import type { Stores } from "../../src/stores/open.ts";
import { openStores } from "../../src/stores/open.ts";
import { sampleAccount, sampleId } from "../../src/testing/samples.ts";
import { openTemporaryStores } from "./temporary-stores.ts";

describe("a write while another connection holds the lock", () => {
  let stores: Stores & { readonly path: string };
  let holder: DatabaseSync;
  beforeEach(async () => {
    stores = await openTemporaryStores();
    await stores.accounts.create(sampleAccount(1, { role: "admin" }));
    holder = new DatabaseSync(stores.path);
    holder.exec("begin immediate; insert into revoked_tokens values ('held', 1)");
  });
  afterEach(async () => {
    holder.close();
    await stores.close();
  });

  it("waits without stopping the event loop or the reads, and goes through after it", async () => {
    let settled = 0;
    const writes = [
      stores.revocations.revoke("waiting", 1),
      stores.accounts.update(sampleId(1), { email: "new@example.org" }),
    ];
    for (const write of writes) void write.finally(() => (settled += 1));
    await sleep(60);
    assert.equal(settled, 0);
    assert.equal((await stores.accounts.findById(sampleId(1)))?.email, "user1@example.org");
    assert.equal(await stores.revocations.isRevoked("waiting"), false);
    holder.exec("commit");
    await Promise.all(writes);
    assert.equal(await stores.revocations.isRevoked("waiting"), true);
    assert.equal((await stores.accounts.findById(sampleId(1)))?.email, "new@example.org");
  });

  it("is an outage after five seconds, and undone", async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const outcome = stores.revocations.revoke("waiting", 1).then(
      () => "done",
      (error: unknown) => error,
    );
    let settled = false;
    void outcome.finally(() => {
      settled = true;
    });
    let waitedMs = 0;
    for (; !settled && waitedMs < 20_000; waitedMs += 25) {
      await new Promise(setImmediate);
      context.mock.timers.tick(25);
    }
    assert.ok(waitedMs >= 4_900 && waitedMs <= 6_000, `waited ${waitedMs} ms`);
    assert.ok((await outcome) instanceof Outage);
    holder.exec("rollback");
    assert.equal(await stores.revocations.isRevoked("waiting"), false);
    await stores.revocations.revoke("later", 1);
  });

  it("is an outage no later for those behind it, however many, and none once the lock is free", async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const pass = async (untilMs: number, isOver: () => boolean) => {
      let waitedMs = 0;
      for (; !isOver() && waitedMs < untilMs; waitedMs += 25) {
        await new Promise(setImmediate);
        context.mock.timers.tick(25);
      }
      return waitedMs;
    };
    let failed = 0;
    const write = (name: string) =>
      stores.revocations.revoke(name, 1).catch((error: unknown) => {
        assert.ok(error instanceof Outage);
        failed += 1;
      });
    const writes = Array.from({ length: 20 }, (_, n) => write(`waiting${n}`));
    const waitedMs = await pass(200_000, () => failed === writes.length);
    assert.ok(waitedMs >= 4_900 && waitedMs <= 7_000, `waited ${waitedMs} ms`);
    await write("at once");
    assert.equal(failed, writes.length + 1, "while it is known to be held, nobody waits");

    await pass(6_000, () => false);
    let later = false;
    const patient = write("patient").then(() => {
      later = true;
    });
    await pass(1_000, () => later);
    assert.equal(later, false, "after a while there is patience again");
    holder.exec("rollback");
    await pass(1_000, () => later);
    await patient;
    assert.equal(failed, writes.length + 1);
    assert.equal(await stores.revocations.isRevoked("patient"), true);
  });
});

it("lets two openers of one file in one process write at the same time", async () => {
  const first = await openTemporaryStores();
  const second = await openStores({ databaseUrl: `sqlite:${first.path}` });
  try {
    await first.accounts.create(sampleAccount(0, { role: "admin" }));
    const updates = Array.from({ length: 20 }, (_, n) =>
      (n % 2 === 0 ? first : second).accounts.update(sampleId(0), { lastLoginAtMs: n }),
    );
    for (const outcome of await Promise.all(updates)) assert.equal(outcome.kind, "updated");
  } finally {
    await second.close();
    await first.close();
  }
});
