import assert from "node:assert/strict";
import { it } from "node:test";
import type { FactorStore } from "../identity/factors/factor.ts";
import { samplePasskey } from "./factor-samples.ts";
import { SAMPLE_NOW_MS as NOW_MS, sampleHash, sampleId } from "./samples.ts";
import type { WithOpened } from "./with-opened.ts";

const USER = sampleId(0);

/** The cases of a `FactorStore` that are about passkeys. */
export function passkeyStoreContract(withStore: WithOpened<{ readonly factors: FactorStore }>): void {
  it("finds passkeys as they were added, by credential and by user in order", () =>
    withStore(async ({ factors }) => {
      for (const n of [2, 1]) await factors.addPasskey(samplePasskey(n), []);
      await factors.addPasskey(samplePasskey(3, { userId: sampleId(9), transports: [] }), []);
      assert.deepEqual(await factors.findPasskey("credential1"), samplePasskey(1));
      assert.equal(await factors.findPasskey("credential"), undefined);
      assert.deepEqual(
        await factors.listPasskeys(USER),
        [1, 2].map((n) => samplePasskey(n)),
      );
    }));

  it("adds a credential once, of many at once, whoever's it is", () =>
    withStore(async ({ factors }) => {
      const outcomes = await Promise.all(
        Array.from({ length: 16 }, (_, n) =>
          factors.addPasskey(samplePasskey(n, { credentialId: "one", userId: sampleId(n) }), []),
        ),
      );
      assert.equal(outcomes.filter((outcome) => outcome !== "conflict").length, 1);
    }));

  it("sets recovery codes with the first factor alone", () =>
    withStore(async ({ factors }) => {
      const codes = ["a", "b"].map(sampleHash);
      assert.equal(await factors.addPasskey(samplePasskey(1), codes), "added_with_codes");
      assert.equal(await factors.addPasskey(samplePasskey(2), [sampleHash("c")]), "added");
      assert.equal((await factors.summaryOf(USER)).recoveryCodesLeft, 2);
      assert.equal(await factors.useRecoveryCode(USER, sampleHash("c")), false);
    }));

  it("takes a signature counter that has grown, once of many at once, and never one that went back", () =>
    withStore(async ({ factors }) => {
      await factors.addPasskey(samplePasskey(1), []);
      const uses = await Promise.all(
        Array.from({ length: 16 }, () => factors.usePasskey(sampleId(1), 8, NOW_MS)),
      );
      assert.equal(uses.filter(Boolean).length, 1);
      for (const counter of [8, 7, 0]) {
        assert.equal(await factors.usePasskey(sampleId(1), counter, NOW_MS + 1), false, `${counter}`);
      }
      assert.deepEqual(
        await factors.findPasskey("credential1"),
        samplePasskey(1, { counter: 8, lastUsedAtMs: NOW_MS }),
      );
      assert.equal(await factors.usePasskey(sampleId(1), 100, NOW_MS + 2), true);
      assert.equal(await factors.usePasskey(sampleId(2), 100, NOW_MS), false);
    }));

  it("takes a passkey that does not count, again and again", () =>
    withStore(async ({ factors }) => {
      await factors.addPasskey(samplePasskey(1, { counter: 0 }), []);
      for (let i = 1; i <= 3; i++) assert.equal(await factors.usePasskey(sampleId(1), 0, NOW_MS + i), true);
      assert.equal((await factors.findPasskey("credential1"))?.lastUsedAtMs, NOW_MS + 3);
      assert.equal(await factors.usePasskey(sampleId(1), 1, NOW_MS), true);
      assert.equal(await factors.usePasskey(sampleId(1), 0, NOW_MS), false);
    }));

  it("removes a passkey of its user alone, once", () =>
    withStore(async ({ factors }) => {
      await factors.addPasskey(samplePasskey(1), []);
      assert.equal(await factors.removePasskey(sampleId(1), sampleId(9), false), "unknown");
      assert.deepEqual(await factors.listPasskeys(USER), [samplePasskey(1)]);
      assert.equal(await factors.removePasskey(sampleId(1), USER, false), "removed");
      assert.equal(await factors.removePasskey(sampleId(1), USER, true), "unknown");
      assert.equal(await factors.usePasskey(sampleId(1), 9, NOW_MS), false);
    }));

  it("keeps one passkey where it is told to, of all that are removed at once", () =>
    withStore(async ({ factors }) => {
      for (const n of [1, 2, 3]) await factors.addPasskey(samplePasskey(n), [sampleHash("a")]);
      const removals = await Promise.all(
        [1, 2, 3].map((n) => factors.removePasskey(sampleId(n), USER, true)),
      );
      assert.deepEqual(removals.toSorted(), ["last", "removed", "removed"]);
      const kept = sampleId(removals.indexOf("last") + 1);
      assert.deepEqual(
        (await factors.listPasskeys(USER)).map(({ id }) => id),
        [kept],
      );
      assert.equal((await factors.summaryOf(USER)).recoveryCodesLeft, 1, "codes stay with it");
      assert.equal(await factors.removePasskey(kept, USER, true), "last");
      assert.equal(await factors.removePasskey(kept, USER, false), "removed");
    }));
}
