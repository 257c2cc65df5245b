import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ChallengeStore } from "../identity/factors/challenge.ts";
import { sampleChallenge } from "./factor-samples.ts";
import { SAMPLE_NOW_MS as NOW_MS, sampleHash, sampleId } from "./samples.ts";
import { withOpened } from "./with-opened.ts";

/** A fresh, empty store each time, and how to be rid of it. */
export type OpenChallenges = () => Promise<{ readonly challenges: ChallengeStore; close(): Promise<void> }>;

const challenge = sampleChallenge(1);
const { hash, expiresAtMs } = challenge;

export interface ChallengeContractOptions {
  /** Whether what has expired goes without being purged: then a purge need not count it. */
  readonly goesByItself?: boolean;
}

/** Registers the cases that every `ChallengeStore` has to pass. */
export function challengeStoreContract(
  open: OpenChallenges,
  { goesByItself = false }: ChallengeContractOptions = {},
): void {
  const withStore = withOpened(open);

  describe("a challenge store", () => {
    it("finds a challenge as it was opened, until the instant at which it expires", () =>
      withStore(async ({ challenges }) => {
        const other = sampleChallenge(2, {
          purpose: "passkey_second_step",
          userId: null,
          boundTo: sampleHash("step"),
          sessionKind: null,
        });
        await challenges.open(challenge, NOW_MS);
        await challenges.open(other, NOW_MS);
        assert.deepEqual(await challenges.find(hash, NOW_MS), challenge);
        assert.deepEqual(await challenges.find(other.hash, expiresAtMs - 1), other);
        assert.equal(await challenges.find(hash, expiresAtMs), undefined);
        assert.equal(await challenges.try(hash, expiresAtMs, 9), undefined);
        assert.equal(await challenges.consume(hash, expiresAtMs), undefined);
        assert.equal(await challenges.find(sampleHash("none"), NOW_MS), undefined);
      }));

    it("refuses a second challenge of one hash", () =>
      withStore(async ({ challenges }) => {
        await challenges.open(challenge, NOW_MS);
        await assert.rejects(async () => challenges.open(challenge, NOW_MS));
      }));

    it("counts tries, and no more than are allowed, of many at once", () =>
      withStore(async ({ challenges }) => {
        await challenges.open(challenge, NOW_MS);
        const tries = await Promise.all(Array.from({ length: 50 }, () => challenges.try(hash, NOW_MS, 5)));
        const counted = tries.filter((one) => one !== undefined).map((one) => one.tries);
        assert.deepEqual(counted.toSorted(), [1, 2, 3, 4, 5]);
        assert.equal((await challenges.find(hash, NOW_MS))?.tries, 5);
      }));

    it("R23: gives a challenge to one of many at once, and then to nobody", () =>
      withStore(async ({ challenges }) => {
        await challenges.open(challenge, NOW_MS);
        const taken = await Promise.all(Array.from({ length: 50 }, () => challenges.consume(hash, NOW_MS)));
        assert.deepEqual(
          taken.filter((one) => one !== undefined),
          [challenge],
        );
        assert.equal(await challenges.find(hash, NOW_MS), undefined);
        assert.equal(await challenges.try(hash, NOW_MS, 9), undefined);
      }));

    it("takes away every challenge of a user and of nobody else", () =>
      withStore(async ({ challenges }) => {
        const foreign = sampleChallenge(3, { userId: sampleId(5) });
        const nobodys = sampleChallenge(4, { userId: null });
        for (const one of [challenge, sampleChallenge(2), foreign, nobodys])
          await challenges.open(one, NOW_MS);
        await challenges.cancelAll(sampleId(0));
        assert.equal(await challenges.find(hash, NOW_MS), undefined);
        assert.equal(await challenges.find(sampleChallenge(2).hash, NOW_MS), undefined);
        assert.deepEqual(await challenges.find(foreign.hash, NOW_MS), foreign);
        assert.deepEqual(await challenges.find(nobodys.hash, NOW_MS), nobodys);
      }));

    it("purges what expired before the instant, and nothing else", () =>
      withStore(async ({ challenges }) => {
        const count = 300;
        for (let n = 0; n < count; n++) await challenges.open(sampleChallenge(n), NOW_MS);
        await challenges.open(sampleChallenge(count, { expiresAtMs: expiresAtMs + 1 }), NOW_MS);
        assert.equal(await challenges.purge(expiresAtMs), 0);
        assert.equal(await challenges.purge(expiresAtMs + 1), goesByItself ? 0 : count);
        assert.notEqual(await challenges.find(sampleChallenge(count).hash, expiresAtMs), undefined);
      }));
  });
}
