import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { FactorStore } from "../identity/factors/factor.ts";
import { NO_FACTORS } from "../identity/factors/factor.ts";
import { sampleConfirmation, samplePasskey, sampleTotp } from "./factor-samples.ts";
import { passkeyStoreContract } from "./passkey-store-contract.ts";
import { SAMPLE_NOW_MS as NOW_MS, sampleHash, sampleId } from "./samples.ts";
import { withOpened } from "./with-opened.ts";

/** A fresh, empty store each time, and how to be rid of it. */
export type OpenFactors = () => Promise<{ readonly factors: FactorStore; close(): Promise<void> }>;

const USER = sampleId(1);
const totp = sampleTotp(1);
const CODE = sampleHash("code1");

/** Registers the cases that every `FactorStore` has to pass. */
export function factorStoreContract(open: OpenFactors): void {
  const withStore = withOpened(open);
  const winners = async (times: number, run: (n: number) => Promise<boolean>) =>
    (await Promise.all(Array.from({ length: times }, (_, n) => run(n)))).filter(Boolean).length;
  const confirmed = async (factors: FactorStore, n = 1) => {
    assert.equal(await factors.offerTotp(sampleTotp(n)), true);
    assert.equal(await factors.confirmTotp(sampleConfirmation(n)), true);
  };

  describe("a factor store", () => {
    it("knows no factor of who has none", () =>
      withStore(async ({ factors }) => {
        assert.deepEqual(await factors.summaryOf(USER), NO_FACTORS);
        assert.equal(await factors.findTotp(USER), undefined);
        assert.deepEqual(await factors.listPasskeys(USER), []);
        assert.deepEqual((await factors.summariesOf([])).size, 0);
        assert.deepEqual((await factors.summariesOf([USER])).get(USER) ?? NO_FACTORS, NO_FACTORS);
        assert.equal(await factors.removeTotp(USER), false);
        assert.deepEqual(await factors.removeAll(USER), NO_FACTORS);
      }));

    it("keeps a TOTP factor pending, replaced by another, until it is confirmed", () =>
      withStore(async ({ factors }) => {
        assert.equal(await factors.offerTotp(sampleTotp(1, { id: sampleId(9), lastStep: 3 })), true);
        assert.equal(await factors.offerTotp(totp), true);
        assert.deepEqual(await factors.findTotp(USER), totp);
        assert.deepEqual(await factors.summaryOf(USER), NO_FACTORS);
        assert.equal(await factors.useTotpStep(totp.id, 100), false, "a pending factor proves nothing");
        assert.equal(await factors.confirmTotp(sampleConfirmation(1, { id: sampleId(9) })), false);
        assert.equal(await factors.confirmTotp(sampleConfirmation(1, { userId: sampleId(2) })), false);
        assert.equal(await factors.confirmTotp(sampleConfirmation(1)), true);
        assert.deepEqual(await factors.findTotp(USER), {
          ...totp,
          confirmedAtMs: NOW_MS + 1,
          lastStep: 100,
        });
        assert.deepEqual(await factors.summaryOf(USER), { totp: true, passkeys: 0, recoveryCodesLeft: 3 });
        assert.equal(await factors.offerTotp(sampleTotp(1, { id: sampleId(9) })), false);
        assert.equal((await factors.findTotp(USER))?.id, totp.id);
      }));

    it("confirms a factor for one of many at once", () =>
      withStore(async ({ factors }) => {
        await factors.offerTotp(totp);
        assert.equal(
          await winners(16, (n) =>
            factors.confirmTotp(sampleConfirmation(1, { recoveryCodeHashes: [sampleHash(`own${n}`)] })),
          ),
          1,
        );
        assert.equal((await factors.summaryOf(USER)).recoveryCodesLeft, 1);
      }));

    it("R23, R30: takes each time step once, of many at once, and none before it", () =>
      withStore(async ({ factors }) => {
        await confirmed(factors);
        assert.equal(await factors.useTotpStep(totp.id, 100), false, "the step that confirmed it");
        assert.equal(await winners(50, () => factors.useTotpStep(totp.id, 102)), 1);
        assert.equal(await factors.useTotpStep(totp.id, 101), false);
        assert.equal(await factors.useTotpStep(totp.id, 103), true);
        assert.equal(await factors.useTotpStep(sampleId(9), 104), false);
      }));

    it("R23: takes a recovery code once, of many at once, and of its user alone", () =>
      withStore(async ({ factors }) => {
        await confirmed(factors);
        await confirmed(factors, 2);
        assert.equal(await factors.useRecoveryCode(sampleId(3), CODE), false);
        assert.equal(await factors.useRecoveryCode(USER, sampleHash("none")), false);
        assert.equal(await winners(50, () => factors.useRecoveryCode(USER, CODE)), 1);
        assert.equal((await factors.summaryOf(USER)).recoveryCodesLeft, 2);
        assert.equal((await factors.summaryOf(sampleId(2))).recoveryCodesLeft, 3);
      }));

    it("sums up several users at once", () =>
      withStore(async ({ factors }) => {
        await confirmed(factors);
        await factors.offerTotp(sampleTotp(2));
        await factors.addPasskey(samplePasskey(1, { userId: sampleId(2) }), [CODE]);
        const summaries = await factors.summariesOf([USER, sampleId(2), sampleId(3)]);
        assert.deepEqual(summaries.get(USER), { totp: true, passkeys: 0, recoveryCodesLeft: 3 });
        assert.deepEqual(summaries.get(sampleId(2)), { totp: false, passkeys: 1, recoveryCodesLeft: 1 });
        assert.deepEqual(summaries.get(sampleId(3)) ?? NO_FACTORS, NO_FACTORS);
      }));

    it("finds what another key has sealed, and replaces exactly that", () =>
      withStore(async ({ factors }) => {
        await factors.offerTotp(totp);
        await factors.offerTotp(sampleTotp(2, { sealedSecret: "1.bbbbbbbb.secret2" }));
        const found = await factors.listTotpSealedOtherwise("1.bbbbbbbb.", 9);
        assert.deepEqual(found, [totp]);
        assert.deepEqual(await factors.listTotpSealedOtherwise("1.cccccccc.", 1), [totp]);
        assert.equal(await factors.resealTotp(totp.id, "another", "1.bbbbbbbb.x"), false);
        assert.equal(await factors.resealTotp(totp.id, totp.sealedSecret, "1.bbbbbbbb.x"), true);
        assert.equal((await factors.findTotp(USER))?.sealedSecret, "1.bbbbbbbb.x");
        assert.deepEqual(await factors.listTotpSealedOtherwise("1.bbbbbbbb.", 9), []);
      }));

    it("lists what another key has sealed in order of user, from any user on", () =>
      withStore(async ({ factors }) => {
        for (const n of [3, 1, 4, 2]) await factors.offerTotp(sampleTotp(n));
        const users = async (limit: number, afterUserId?: string) =>
          (await factors.listTotpSealedOtherwise("1.cccccccc.", limit, afterUserId)).map(
            ({ userId }) => userId,
          );
        assert.deepEqual(await users(2), [sampleId(1), sampleId(2)]);
        assert.deepEqual(await users(2, sampleId(2)), [sampleId(3), sampleId(4)]);
        assert.deepEqual(await users(2, sampleId(4)), []);
      }));

    it("replaces all recovery codes of who has a factor, and of nobody else", () =>
      withStore(async ({ factors }) => {
        const fresh = [sampleHash("fresh1"), sampleHash("fresh2")];
        assert.equal(await factors.replaceRecoveryCodes(USER, fresh), false);
        assert.equal(await factors.offerTotp(totp), true);
        assert.equal(await factors.replaceRecoveryCodes(USER, fresh), false, "a pending factor is none");
        assert.deepEqual(await factors.summaryOf(USER), NO_FACTORS);
        assert.equal(await factors.confirmTotp(sampleConfirmation(1)), true);
        await confirmed(factors, 2);
        assert.equal(await factors.replaceRecoveryCodes(USER, fresh), true);
        assert.equal(await factors.useRecoveryCode(USER, CODE), false);
        assert.equal(await factors.useRecoveryCode(USER, fresh[0]!), true);
        assert.equal((await factors.summaryOf(USER)).recoveryCodesLeft, 1);
        assert.equal((await factors.summaryOf(sampleId(2))).recoveryCodesLeft, 3);
        assert.equal(await factors.removeTotp(USER), true);
        assert.equal(await factors.replaceRecoveryCodes(USER, fresh), false);
      }));

    it("removes recovery codes with the last factor, and not before", () =>
      withStore(async ({ factors }) => {
        await confirmed(factors);
        await factors.addPasskey(samplePasskey(1, { userId: USER }), []);
        assert.equal(await factors.removeTotp(USER), true);
        assert.deepEqual(await factors.summaryOf(USER), { totp: false, passkeys: 1, recoveryCodesLeft: 3 });
        assert.equal(await factors.removePasskey(sampleId(1), USER, false), "removed");
        assert.deepEqual(await factors.summaryOf(USER), NO_FACTORS);
        assert.equal(await factors.useRecoveryCode(USER, CODE), false);
        await confirmed(factors);
        assert.equal(await factors.removeTotp(USER), true);
        assert.deepEqual(await factors.summaryOf(USER), NO_FACTORS);
      }));

    it("removes everything of a user and nothing of another", () =>
      withStore(async ({ factors }) => {
        for (const n of [1, 2]) {
          await confirmed(factors, n);
          await factors.addPasskey(samplePasskey(n, { userId: sampleId(n) }), []);
        }
        const all = { totp: true, passkeys: 1, recoveryCodesLeft: 3 };
        assert.deepEqual(await factors.removeAll(USER), all);
        assert.deepEqual(await factors.summaryOf(USER), NO_FACTORS);
        assert.equal(await factors.findTotp(USER), undefined);
        assert.deepEqual(await factors.summaryOf(sampleId(2)), all);
      }));

    passkeyStoreContract(withStore);
  });
}
