import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Passwords } from "../../src/crypto/password.ts";
import { createAccounts } from "../../src/identity/accounts/accounts.ts";
import { createLockouts, LOCKOUT_POLICY } from "../../src/identity/accounts/lockouts.ts";
import { createSessions } from "../../src/identity/sessions/sessions.ts";
import type { Act, AuditEvent } from "../../src/kernel/audit-event.ts";
import { Outage, Refusal } from "../../src/kernel/failure.ts";
import { problem } from "../../src/kernel/problem.ts";
import { createMemoryStores } from "../../src/stores/memory/memory-stores.ts";
import type { Stores } from "../../src/stores/open.ts";
import { manualClock, seededRandom } from "../../src/testing/index.ts";
import { openTemporaryStores } from "../stores/temporary-stores.ts";

const START = 1_800_000_000_000;
const RIGHT = "correct horse battery staple";
const { mostFailures, lockMs, placeTtlMs } = LOCKOUT_POLICY;

/** Passwords whose hash is their own text. */
const plainPasswords: Passwords = {
  pending: 0,
  load: { waiting: 0, running: 0, refused: 0 },
  hash: async (password) => `hash of ${password}`,
  verify: async (password, stored) => ({ ok: stored === `hash of ${password}`, needsUpgrade: false }),
};

function open(passwords = plainPasswords, stores: Pick<Stores, "lockouts"> = createMemoryStores()) {
  const { accounts: store, sessions: sessionStore, factors } = createMemoryStores();
  const clock = manualClock(START);
  const random = seededRandom(1);
  const told: AuditEvent[] = [];
  const events = { record: (event: AuditEvent) => void told.push(event) };
  const idleTtlMs = { browser: 1e9, token: 1e9 };
  const accounts = createAccounts({
    store,
    sessions: createSessions({ store: sessionStore, random, events, maxTtlMs: 1e9, idleTtlMs }),
    lockouts: createLockouts({ store: stores.lockouts, key: random.bytes(32) }),
    factors,
    passkeysOn: false,
    passwords,
    clock,
    random,
    events,
  });
  const from = (address?: string): Act => ({
    atMs: clock.now(),
    actor: { kind: "anonymous" },
    ...(address && { address }),
  });
  const tryIt = async (username: string, password: string, address?: string) =>
    (await accounts.authenticate(username, password, from(address))) !== undefined;
  const operator: Act = { atMs: START, actor: { kind: "operator" } };
  const create = (username: string) =>
    accounts.create({ username, email: null, password: RIGHT, role: "user" }, operator);
  /** Fails from an address of its own each time. */
  const guess = async (username: string, times: number) => {
    for (let i = 0; i < times; i++) {
      assert.equal(await tryIt(username, "wrong", `198.51.${100 + (i >> 8)}.${i & 255}`), false);
    }
  };
  return { accounts, clock, told, operator, create, tryIt, guess };
}

describe("a lock against guessing", () => {
  it("refuses the right password after 100 failures from as many addresses, for a day", async () => {
    const { create, tryIt, guess, clock } = open();
    await create("alice");
    await guess("alice", mostFailures - 1);
    assert.equal(await tryIt("alice", RIGHT), true, "99 are no lock, and this success begins afresh");
    await guess("alice", mostFailures);
    assert.equal(await tryIt("alice", RIGHT), false);
    clock.advance(lockMs - 1);
    assert.equal(await tryIt("alice", RIGHT), false);
    clock.advance(1);
    assert.equal(await tryIt("alice", RIGHT), true);
  });

  it("R27: is one over all spellings of a name", async () => {
    const { create, tryIt } = open();
    await create("alice");
    const spellings = ["alice", "ALICE", " Alice ", "ａｌｉｃｅ", "aLiCe\n"];
    for (let i = 0; i < mostFailures; i++) await tryIt(spellings[i % spellings.length]!, "wrong");
    for (const spelling of spellings) assert.equal(await tryIt(spelling, RIGHT), false, spelling);
  });

  it("R27: cannot keep a user out where that user has signed in before, however long the guessing goes on", async () => {
    const { create, tryIt, guess, clock } = open();
    await create("alice");
    assert.equal(await tryIt("alice", RIGHT, "192.0.2.1"), true);
    assert.equal(await tryIt("alice", RIGHT, "2001:db8:0:100::1"), true);
    for (let day = 0; day < 5; day++) {
      await guess("alice", mostFailures);
      assert.equal(await tryIt("alice", RIGHT, "203.0.113.9"), false);
      assert.equal(await tryIt("alice", RIGHT, "192.0.2.1"), true);
      assert.equal(await tryIt("alice", RIGHT, "2001:db8:0:1ff::2"), true, "the same /56");
      assert.equal(await tryIt("alice", RIGHT, "2001:db8:0:200::1"), false, "another /56");
      clock.advance(lockMs);
    }
    clock.advance(placeTtlMs);
    await guess("alice", mostFailures);
    assert.equal(await tryIt("alice", RIGHT, "192.0.2.1"), false, "a place is not known for ever");
  });

  it("knows a place for the name that signed in from there, and gives no guesses without end there", async () => {
    const { create, tryIt, guess } = open();
    await create("alice");
    await create("mallory");
    await tryIt("mallory", RIGHT, "192.0.2.66");
    await tryIt("alice", RIGHT, "192.0.2.1");
    await guess("alice", mostFailures);
    assert.equal(await tryIt("alice", RIGHT, "192.0.2.66"), false, "mallory's place is not alice's");
    for (let i = 0; i < mostFailures; i++) await tryIt("alice", "wrong", "192.0.2.1");
    assert.equal(await tryIt("alice", RIGHT, "192.0.2.1"), false);
  });

  it("takes the word of nobody for an address", async () => {
    const { create, tryIt, guess } = open();
    await create("alice");
    for (const address of [undefined, "", "unknown"]) {
      assert.equal(await tryIt("alice", RIGHT, address), true);
    }
    await guess("alice", mostFailures);
    for (const address of [undefined, "", "unknown"]) {
      assert.equal(await tryIt("alice", RIGHT, address), false, String(address));
    }
  });

  it("judges many at once as one after the other: a right guess behind the hundredth failure is none", async () => {
    for (const openStores of [openTemporaryStores, async () => ({ ...createMemoryStores(), close() {} })]) {
      const stores = await openStores();
      // The right one is the slowest to hash.
      const { create, tryIt } = open(
        {
          ...plainPasswords,
          async verify(password, stored) {
            for (let turns = password === RIGHT ? 20 : 1; turns > 0; turns--) await new Promise(setImmediate);
            return plainPasswords.verify(password, stored);
          },
        },
        stores,
      );
      await create("alice");
      const guesses = Array.from({ length: mostFailures }, (_, i) => tryIt("alice", `guess ${i}`));
      const all = await Promise.all([tryIt("alice", RIGHT), ...guesses]);
      assert.deepEqual(new Set(all), new Set([false]));
      await stores.close();
    }
  });

  it("does the same work whether or not the password is right: it upgrades no hash", async () => {
    let hashed = 0;
    const { create, tryIt, guess } = open({
      ...plainPasswords,
      async hash(password) {
        hashed++;
        return plainPasswords.hash(password);
      },
      async verify(password, stored) {
        const { ok } = await plainPasswords.verify(password, stored);
        return { ok, needsUpgrade: ok };
      },
    });
    await create("alice");
    await guess("alice", mostFailures);
    hashed = 0;
    assert.equal(await tryIt("alice", RIGHT), false);
    assert.equal(hashed, 0);
  });

  it("counts a name without an account and a disabled one alike, and tells of each lock once", async () => {
    const { accounts, create, guess, told, operator } = open();
    const alice = await create("alice");
    const dora = await create("dora");
    await accounts.change(dora.id, { disabled: true }, operator);
    told.length = 0;
    for (const name of ["alice", "dora", "nobody"]) await guess(name, mostFailures + 3);
    assert.deepEqual(
      told.map(({ name, subject, details }) => ({ name, subject, details })),
      [alice.id, dora.id, "nobody"].map((subject) => ({
        name: "user.updated",
        subject,
        details: { locked: true },
      })),
    );
  });

  it("is lifted by unlocking and by enabling, each told once", async () => {
    const { accounts, create, tryIt, guess, told, operator } = open();
    const alice = await create("alice");
    const unlocks = () => told.filter(({ details }) => details?.["locked"] === false).length;
    for (const lift of [
      () => accounts.unlock(alice, operator),
      () => accounts.change(alice.id, { disabled: false }, operator),
    ]) {
      await guess("alice", mostFailures);
      assert.equal(await tryIt("alice", RIGHT), false);
      const before = unlocks();
      await lift();
      assert.equal(unlocks(), before + 1);
      assert.equal(await tryIt("alice", RIGHT), true);
      await lift();
      assert.equal(unlocks(), before + 1, "nothing to lift is nothing to tell");
    }
  });

  it("counts no password that could not be checked, and grants none that could not be counted", async () => {
    let isOverloaded = true;
    const overloaded = open({
      ...plainPasswords,
      verify: (password, stored) =>
        isOverloaded
          ? Promise.reject(new Refusal(problem("overloaded", "later")))
          : plainPasswords.verify(password, stored),
    });
    await overloaded.create("alice");
    for (let i = 0; i <= mostFailures; i++) await assert.rejects(overloaded.tryIt("alice", "wrong"), Refusal);
    isOverloaded = false;
    assert.equal(await overloaded.tryIt("alice", RIGHT), true);

    const { lockouts } = createMemoryStores();
    const down = { ...lockouts, settle: () => Promise.reject(new Outage("database")) };
    const withoutCounts = open(plainPasswords, { lockouts: down });
    await withoutCounts.create("alice");
    await assert.rejects(withoutCounts.tryIt("alice", RIGHT), Outage);
  });

  it("keeps neither names nor addresses as they were typed", async () => {
    const { lockouts } = createMemoryStores();
    const kept: unknown[] = [];
    const { create, tryIt } = open(plainPasswords, {
      lockouts: {
        ...lockouts,
        settle(attempt) {
          kept.push(attempt);
          return lockouts.settle(attempt);
        },
      },
    });
    await create("alice");
    await tryIt("alice", RIGHT, "192.0.2.77");
    await tryIt("hunter2typedasaname", RIGHT, "192.0.2.77");
    await tryIt("no user name, and so nothing to count", RIGHT);
    assert.equal(kept.length, 2);
    assert.doesNotMatch(JSON.stringify(kept), /alice|hunter2|192\.0\.2|correct horse/);
  });
});
