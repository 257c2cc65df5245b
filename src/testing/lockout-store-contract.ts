import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AttemptOutcome, LockoutStore, SignInAttempt } from "../identity/accounts/lockout.ts";
import { SAMPLE_NOW_MS as NOW_MS, sampleHash } from "./samples.ts";
import { withOpened } from "./with-opened.ts";

/** A fresh, empty store each time, and how to be rid of it. */
export type OpenLockouts = () => Promise<{ readonly lockouts: LockoutStore; close(): Promise<void> }>;

const MOST = 5;
const LOCK_MS = 1_000;
const PLACE_TTL_MS = 10_000_000_000;
const [NAME, HOME, AWAY] = ["name", "home", "away"].map(sampleHash) as [string, string, string];

/** Registers the cases that every `LockoutStore` has to pass. */
export function lockoutStoreContract(open: OpenLockouts): void {
  const withStore = withOpened(open);

  describe("a lockout store", () => {
    const attempt = (parts: Partial<SignInAttempt>): SignInAttempt => ({
      nameHash: NAME,
      placeHash: AWAY,
      proved: false,
      atMs: NOW_MS,
      mostFailures: MOST,
      lockMs: LOCK_MS,
      placeTtlMs: PLACE_TTL_MS,
      ...parts,
    });
    const wrong = (lockouts: LockoutStore, parts: Partial<SignInAttempt> = {}) =>
      lockouts.settle(attempt(parts));
    const right = (lockouts: LockoutStore, parts: Partial<SignInAttempt> = {}) =>
      lockouts.settle(attempt({ ...parts, proved: true }));
    const lock = async (lockouts: LockoutStore, parts: Partial<SignInAttempt> = {}) => {
      const outcomes: AttemptOutcome[] = [];
      for (let i = 0; i < MOST; i++) outcomes.push(await wrong(lockouts, parts));
      return outcomes;
    };

    it("locks a name at the last failure it allows, wherever they came from, and no other", () =>
      withStore(async ({ lockouts }) => {
        const outcomes: AttemptOutcome[] = [];
        for (const placeHash of [AWAY, HOME, null, AWAY, sampleHash("more")]) {
          outcomes.push(await wrong(lockouts, { placeHash }));
        }
        assert.deepEqual(outcomes, ["failed", "failed", "failed", "failed", "locked_now"]);
        for (const placeHash of [AWAY, HOME, null]) {
          assert.equal(await right(lockouts, { placeHash }), "locked");
          assert.equal(await wrong(lockouts, { placeHash }), "locked");
        }
        assert.equal(await right(lockouts, { nameHash: sampleHash("other") }), "granted");
      }));

    it("tells which of some names are locked anywhere, and until when at the latest", () =>
      withStore(async ({ lockouts }) => {
        const [other, unknown] = [sampleHash("other"), sampleHash("unknown")];
        await right(lockouts, { placeHash: HOME });
        await lock(lockouts);
        await lock(lockouts, { placeHash: HOME, atMs: NOW_MS + 1 });
        await wrong(lockouts, { nameHash: other });
        const until = async (atMs: number, names = [NAME, other, unknown]) => [
          ...(await lockouts.lockedUntil(names, atMs)),
        ];
        assert.deepEqual(await until(NOW_MS + 1), [[NAME, NOW_MS + 1 + LOCK_MS]]);
        assert.deepEqual(await until(NOW_MS + LOCK_MS), [[NAME, NOW_MS + 1 + LOCK_MS]]);
        assert.deepEqual(await until(NOW_MS + 1 + LOCK_MS), []);
        assert.deepEqual(await until(NOW_MS, [other]), []);
        assert.deepEqual(await until(NOW_MS, []), []);
        await lockouts.unlock(NAME, NOW_MS);
        assert.deepEqual(await until(NOW_MS), []);
      }));

    it("begins afresh after a success", () =>
      withStore(async ({ lockouts }) => {
        for (let round = 0; round < 3; round++) {
          for (let i = 1; i < MOST; i++) assert.equal(await wrong(lockouts, { placeHash: null }), "failed");
          assert.equal(await right(lockouts, { placeHash: null }), "granted");
        }
      }));

    it("grants half a success without forgetting a failure, and no more than a whole one while locked", () =>
      withStore(async ({ lockouts }) => {
        const half = (parts: Partial<SignInAttempt> = {}) =>
          lockouts.settle(attempt({ ...parts, proved: "partly" }));
        for (let i = 1; i < MOST; i++) {
          assert.equal(await half(), "granted");
          assert.equal(await wrong(lockouts), "failed");
        }
        assert.equal(await half(), "granted");
        assert.equal(await wrong(lockouts), "locked_now", "half a success forgot a failure");
        assert.equal(await half(), "locked");
        assert.equal(await half({ placeHash: HOME }), "locked", "half a success made a place known");
        assert.equal(await half({ atMs: NOW_MS + LOCK_MS }), "granted");
      }));

    it("lifts a lock when its time is over, which no further try puts off, and begins afresh", () =>
      withStore(async ({ lockouts }) => {
        await lock(lockouts);
        assert.equal(await wrong(lockouts, { atMs: NOW_MS + LOCK_MS - 1 }), "locked");
        assert.equal(await right(lockouts, { atMs: NOW_MS + LOCK_MS - 1, placeHash: null }), "locked");
        const again = await lock(lockouts, { atMs: NOW_MS + LOCK_MS });
        assert.deepEqual(again, ["failed", "failed", "failed", "failed", "locked_now"]);
        assert.equal(await right(lockouts, { atMs: NOW_MS + 2 * LOCK_MS }), "granted");
      }));

    it("forgets failures that are as old as a lock is long", () =>
      withStore(async ({ lockouts }) => {
        for (let i = 1; i < MOST; i++) await wrong(lockouts);
        assert.equal(await wrong(lockouts, { atMs: NOW_MS + LOCK_MS }), "failed");
        for (let i = 2; i < MOST; i++) {
          assert.equal(await wrong(lockouts, { atMs: NOW_MS + 2 * LOCK_MS - 1 }), "failed");
        }
        assert.equal(await wrong(lockouts, { atMs: NOW_MS + 2 * LOCK_MS - 1 }), "locked_now");
      }));

    it("counts a place that the name has signed in from on its own", () =>
      withStore(async ({ lockouts }) => {
        assert.equal(await right(lockouts, { placeHash: HOME }), "granted");
        assert.equal((await lock(lockouts)).at(-1), "locked_now");
        assert.equal(await right(lockouts), "locked");
        assert.equal(await right(lockouts, { placeHash: HOME }), "granted");
        assert.equal(await right(lockouts), "locked", "a success at home lifts no lock elsewhere");
        assert.equal((await lock(lockouts, { placeHash: HOME })).at(-1), "locked_now");
        assert.equal(await right(lockouts, { placeHash: HOME }), "locked");
        const later = { placeHash: HOME, atMs: NOW_MS + LOCK_MS };
        assert.equal(await wrong(lockouts, later), "failed");
        assert.equal(await right(lockouts, later), "granted");
      }));

    it("knows a place for as long as it was told after the last sign-in from there", () =>
      withStore(async ({ lockouts }) => {
        const lastMs = NOW_MS + PLACE_TTL_MS - 1;
        const atHome = (atMs: number) => right(lockouts, { placeHash: HOME, atMs });
        await atHome(NOW_MS);
        await lock(lockouts, { atMs: lastMs });
        assert.equal(await atHome(lastMs), "granted");
        const laterMs = lastMs + PLACE_TTL_MS;
        await lock(lockouts, { atMs: laterMs });
        assert.equal(await atHome(laterMs), "locked", "home is as good as elsewhere by now");
      }));

    it("never takes an address that nobody vouches for as known", () =>
      withStore(async ({ lockouts }) => {
        assert.equal(await right(lockouts, { placeHash: null }), "granted");
        await lock(lockouts);
        assert.equal(await right(lockouts, { placeHash: null }), "locked");
      }));

    it("unlocks a name everywhere, says whether it was locked, and still knows its places", () =>
      withStore(async ({ lockouts }) => {
        await right(lockouts, { placeHash: HOME });
        await lock(lockouts, { placeHash: HOME });
        await lock(lockouts);
        await lock(lockouts, { nameHash: sampleHash("other") });
        assert.equal(await lockouts.unlock(NAME, NOW_MS), true);
        assert.equal(await lockouts.unlock(NAME, NOW_MS), false);
        assert.equal(await lockouts.unlock(sampleHash("nobody"), NOW_MS), false);
        assert.equal((await lock(lockouts)).at(-1), "locked_now", "counted afresh");
        assert.equal(await right(lockouts, { placeHash: HOME }), "granted");
        assert.equal(await right(lockouts, { nameHash: sampleHash("other") }), "locked");
        assert.equal(await lockouts.unlock(NAME, NOW_MS + LOCK_MS), false, "that lock was over");
      }));

    it("lets no more failures through than it allows, of many at once", () =>
      withStore(async ({ lockouts }) => {
        const outcomes = await Promise.all(Array.from({ length: 64 }, () => wrong(lockouts)));
        assert.equal(outcomes.filter((one) => one === "failed").length, MOST - 1);
        assert.equal(outcomes.filter((one) => one === "locked_now").length, 1);
        assert.equal(await right(lockouts), "locked");
      }));

    it("purges what expired before the instant, and nothing else", () =>
      withStore(async ({ lockouts }) => {
        const count = 300;
        const names = Array.from({ length: count }, (_, n) => sampleHash(`name${n}`));
        for (const nameHash of names) await wrong(lockouts, { nameHash });
        await right(lockouts, { placeHash: HOME });
        await lock(lockouts, { atMs: NOW_MS + 1 });
        assert.equal(await lockouts.purge(NOW_MS + LOCK_MS), 0);
        assert.equal(await lockouts.purge(NOW_MS + LOCK_MS + 1), count);
        assert.equal(await right(lockouts, { atMs: NOW_MS + LOCK_MS }), "locked");
        assert.equal(await right(lockouts, { placeHash: HOME, atMs: NOW_MS + LOCK_MS }), "granted");
        assert.equal(await lockouts.purge(NOW_MS + LOCK_MS + 2), 1);
        assert.equal(await lockouts.purge(NOW_MS + PLACE_TTL_MS + 1), 1);
      }));
  });
}
