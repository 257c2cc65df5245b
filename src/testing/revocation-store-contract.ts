import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RevocationStore } from "../identity/tokens/revocation.ts";
import { SAMPLE_NOW_MS as NOW_MS, sampleId } from "./samples.ts";
import { withOpened } from "./with-opened.ts";

/** A fresh, empty store each time, and how to be rid of it. */
export type OpenRevocations = () => Promise<{
  readonly revocations: RevocationStore;
  close(): Promise<void>;
}>;

/** Registers the cases that every `RevocationStore` has to pass. */
export function revocationStoreContract(open: OpenRevocations): void {
  const withStore = withOpened(open);

  describe("a revocation store", () => {
    it("knows a revoked token at once, however often it was asked before", () =>
      withStore(async ({ revocations }) => {
        assert.equal(await revocations.isRevoked(sampleId(1)), false);
        assert.equal(await revocations.isRevoked(sampleId(1)), false);
        await revocations.revoke(sampleId(1), NOW_MS);
        assert.equal(await revocations.isRevoked(sampleId(1)), true);
        assert.equal(await revocations.isRevoked(sampleId(2)), false);
      }));

    it("takes any text for an id, and only the whole of it", () =>
      withStore(async ({ revocations }) => {
        const ids = [
          "",
          "jti",
          "JTI",
          "jti ",
          "jti%",
          "a".repeat(10_000),
          "\u{1f511}",
          "' or 1=1 --",
          "__proto__",
        ];
        for (const id of ids) {
          assert.equal(await revocations.isRevoked(id), false, id.slice(0, 20));
          await revocations.revoke(id, NOW_MS);
          assert.equal(await revocations.isRevoked(id), true, id.slice(0, 20));
        }
        assert.equal(await revocations.isRevoked("a".repeat(9_999)), false);
      }));

    it("revokes twice without a fault, and keeps the later expiry", () =>
      withStore(async ({ revocations }) => {
        await revocations.revoke(sampleId(1), NOW_MS);
        await revocations.revoke(sampleId(1), NOW_MS + 10);
        await revocations.revoke(sampleId(1), NOW_MS - 10);
        assert.equal(await revocations.purge(NOW_MS + 10), 0);
        assert.equal(await revocations.isRevoked(sampleId(1)), true);
        assert.equal(await revocations.purge(NOW_MS + 11), 1);
      }));

    it("purges what expired before the instant, and nothing else", () =>
      withStore(async ({ revocations }) => {
        const count = 20;
        const revoked = Array.from({ length: count }, (_, n) => revocations.revoke(sampleId(n), NOW_MS - 1));
        await Promise.all(revoked);
        await revocations.revoke("kept", NOW_MS);
        assert.equal(await revocations.isRevoked(sampleId(7)), true);
        assert.equal(await revocations.purge(NOW_MS), count);
        assert.equal(await revocations.isRevoked(sampleId(7)), false);
        assert.equal(await revocations.isRevoked("kept"), true);
        assert.equal(await revocations.purge(NOW_MS), 0);
      }));
  });
}
