import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Outage } from "../../src/kernel/failure.ts";
import type { Stores } from "../../src/stores/open.ts";
import { openStores } from "../../src/stores/open.ts";
import { sampleAccount, sampleHash, sampleId } from "../../src/testing/samples.ts";
import { openTemporaryStores } from "./temporary-stores.ts";

/** What is looked up for one user or one credential, which has no reason to wait for a write. */
const readsOf = (stores: Stores): readonly (() => Promise<unknown>)[] => [
  () => stores.factors.summaryOf(sampleId(1)),
  () => stores.factors.findTotp(sampleId(1)),
  () => stores.factors.findPasskey("credential"),
  () => stores.factors.listPasskeys(sampleId(1)),
  () => stores.refreshTokens.find("hash"),
  () => stores.challenges.find("hash", 0),
  () => stores.lockouts.lockedUntil(["name"], 0),
];

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
    for (const read of readsOf(stores)) await read();
    assert.equal(settled, 0, "and those wait still");
    holder.exec("commit");
    await Promise.all(writes);
    assert.equal(await stores.revocations.isRevoked("waiting"), true);
    assert.equal((await stores.accounts.findById(sampleId(1)))?.email, "new@example.org");
  });

  it("does not hold up a right password, which leaves nothing to write, where no wrong one is before it", async () => {
    const attempt = {
      nameHash: sampleHash("name"),
      placeHash: sampleHash("home"),
      proved: "partly",
      atMs: 1,
      mostFailures: 5,
      lockMs: 1_000,
      placeTtlMs: 1_000,
    } as const;
    const granted = stores.lockouts.settle(attempt);
    assert.equal(await Promise.race([granted, sleep(4_000, "waits")]), "granted");
    const tries = [false, false, false, false, false, "partly", true] as const;
    const outcomes = Promise.all(tries.map((proved) => stores.lockouts.settle({ ...attempt, proved })));
    assert.equal(await Promise.race([outcomes, sleep(60, "waits")]), "waits", "for the wrong ones before it");
    holder.exec("rollback");
    assert.deepEqual(await outcomes, [...Array(4).fill("failed"), "locked_now", "locked", "locked"]);
  });

  it("is an outage after five seconds for all that wait, and undone; those after it do not wait", async () => {
    const beganMs = performance.now();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) => stores.revocations.revoke(`waiting${n}`, 1)),
    );
    await assert.rejects(stores.revocations.revoke("at once", 1), Outage);
    const waitedMs = performance.now() - beganMs;
    assert.ok(waitedMs >= 4_500 && waitedMs < 50_000, `waited ${waitedMs} ms, and not 20 times five seconds`);
    for (const outcome of outcomes)
      assert.ok(outcome.status === "rejected" && outcome.reason instanceof Outage);
    holder.exec("rollback");
    assert.equal(await stores.revocations.isRevoked("waiting0"), false);
    await stores.revocations.revoke("later", 1);
    assert.equal(await stores.revocations.isRevoked("later"), true);
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
