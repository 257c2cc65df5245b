import assert from "node:assert/strict";
import { it } from "node:test";
import type { RefreshTokensAndSessions } from "./refresh-token-store-contract.ts";
import { ofFamily, rotation } from "./refresh-token-store-contract.ts";
import {
  SAMPLE_NOW_MS as NOW_MS,
  sampleHash,
  sampleId,
  sampleRefreshToken,
  sampleSession,
} from "./samples.ts";
import type { WithOpened } from "./with-opened.ts";

/** The part of the refresh token contract about tokens that come again (RFC 9700 section 4.14.2), and about purging. */
export function refreshReuseContract(withStores: WithOpened<RefreshTokensAndSessions>): void {
  const start = async ({ refreshTokens, sessions }: RefreshTokensAndSessions) => {
    await sessions.start(sampleSession(1));
    await refreshTokens.issue(sampleRefreshToken("a"));
    assert.equal((await refreshTokens.rotate(rotation("a", "b"))).kind, "rotated");
  };

  it("gives the successor again within the grace, without a change", () =>
    withStores(async (stores) => {
      await start(stores);
      for (const afterMs of [-5, 0, 9_999]) {
        assert.deepEqual(
          await stores.refreshTokens.rotate(rotation("a", "b", afterMs)),
          ofFamily("repeated"),
        );
      }
      assert.equal((await stores.refreshTokens.find(sampleHash("a")))?.usedAtMs, NOW_MS);
      assert.deepEqual(await stores.refreshTokens.find(sampleHash("b")), sampleRefreshToken("b"));
    }));

  it("knows the successor again by another key's, and puts none of those there", () =>
    withStores(async (stores) => {
      const { refreshTokens } = stores;
      const other = (hash: string) => ({ otherSuccessorHashes: [sampleHash("x"), sampleHash(hash)] });
      await start(stores);
      assert.deepEqual(await refreshTokens.rotate(rotation("a", "c", 1, other("b"))), ofFamily("repeated"));
      assert.equal((await refreshTokens.find(sampleHash("a")))?.successorHash, sampleHash("b"));
      assert.deepEqual(await refreshTokens.rotate(rotation("b", "c", 1, other("d"))), ofFamily("rotated"));
      assert.equal((await refreshTokens.find(sampleHash("b")))?.successorHash, sampleHash("c"));
      for (const hash of ["x", "d"]) assert.equal(await refreshTokens.find(sampleHash(hash)), undefined);
      assert.deepEqual(
        await refreshTokens.rotate(rotation("a", "c", 10_000, other("b"))),
        ofFamily("reused"),
      );
    }));

  it("ends the session of a token that comes again after the grace, with all of the family", () =>
    withStores(async (stores) => {
      const { refreshTokens, sessions } = stores;
      await start(stores);
      await refreshTokens.rotate(rotation("b", "c", 1));
      assert.deepEqual(await refreshTokens.rotate(rotation("a", "b", 10_000)), ofFamily("reused"));
      assert.equal((await sessions.findById(sampleId(1)))?.endedAtMs, NOW_MS + 10_000);
      for (const hash of ["a", "b", "c"]) {
        const outcome = await refreshTokens.rotate(rotation(hash, "z", 10_001));
        assert.deepEqual(outcome, { kind: "refused", cause: "session_ended" });
      }
    }));

  it("takes a token whose successor was used as reuse, even within the grace", () =>
    withStores(async (stores) => {
      const { refreshTokens, sessions } = stores;
      await start(stores);
      assert.equal((await refreshTokens.rotate(rotation("b", "c", 1))).kind, "rotated");
      assert.deepEqual(await refreshTokens.rotate(rotation("b", "c", 2)), ofFamily("repeated"));
      assert.deepEqual(await refreshTokens.rotate(rotation("a", "b", 2)), ofFamily("reused"));
      assert.equal((await sessions.findById(sampleId(1)))?.endedAtMs, NOW_MS + 2);
    }));

  it("takes a token that comes again for another successor as reuse, even within the grace", () =>
    withStores(async (stores) => {
      await start(stores);
      assert.deepEqual(await stores.refreshTokens.rotate(rotation("a", "other", 1)), ofFamily("reused"));
      assert.equal(await stores.refreshTokens.find(sampleHash("other")), undefined);
      assert.equal((await stores.sessions.findById(sampleId(1)))?.endedAtMs, NOW_MS + 1);
    }));

  it("knows reuse even of a token that has expired since", () =>
    withStores(async (stores) => {
      const { refreshTokens, sessions } = stores;
      await sessions.start(sampleSession(1));
      await refreshTokens.issue(sampleRefreshToken("a", { expiresAtMs: NOW_MS + 20 }));
      await refreshTokens.rotate(rotation("a", "b"));
      const repeated = await refreshTokens.rotate(rotation("a", "b", 20));
      assert.deepEqual(repeated, { kind: "refused", cause: "expired" });
      assert.deepEqual(await refreshTokens.rotate(rotation("a", "b", 10_000)), ofFamily("reused"));
    }));

  it("has no grace where it is zero: of 64 parallel rotations one wins, and the session ends", () =>
    withStores(async ({ refreshTokens, sessions }) => {
      await sessions.start(sampleSession(1));
      await sessions.start(sampleSession(2));
      await refreshTokens.issue(sampleRefreshToken("a"));
      const outcomes = await Promise.all(
        Array.from({ length: 64 }, () => refreshTokens.rotate(rotation("a", "b", 0, { graceMs: 0 }))),
      );
      const kinds = outcomes.map(({ kind }) => kind).sort();
      assert.deepEqual(kinds, [...Array<string>(62).fill("refused"), "reused", "rotated"]);
      assert.equal((await sessions.findById(sampleId(1)))?.endedAtMs, NOW_MS);
      assert.equal((await sessions.findById(sampleId(2)))?.endedAtMs, null);
    }));

  it("purges expired tokens, but a used one only once its session is over", () =>
    withStores(async ({ refreshTokens, sessions }) => {
      await sessions.start(sampleSession(1));
      await sessions.start(sampleSession(2, { endedAtMs: NOW_MS }));
      const used = { usedAtMs: NOW_MS - 50, successorHash: sampleHash("b") };
      const old = { expiresAtMs: NOW_MS - 1 };
      await refreshTokens.issue(sampleRefreshToken("fresh", { expiresAtMs: NOW_MS }));
      await refreshTokens.issue(sampleRefreshToken("unused", old));
      await refreshTokens.issue(sampleRefreshToken("used", { ...old, ...used }));
      await refreshTokens.issue(sampleRefreshToken("over", { ...old, ...used, sessionId: sampleId(2) }));
      assert.equal(await refreshTokens.purge(NOW_MS), 2);
      assert.equal(await refreshTokens.find(sampleHash("unused")), undefined);
      assert.equal(await refreshTokens.find(sampleHash("over")), undefined);
      assert.notEqual(await refreshTokens.find(sampleHash("fresh")), undefined);
      assert.deepEqual(await refreshTokens.rotate(rotation("used", "other")), ofFamily("reused"));
    }));

  it("loses the tokens of a session that is purged", () =>
    withStores(async ({ refreshTokens, sessions }) => {
      await sessions.start(sampleSession(1, { endedAtMs: NOW_MS - 1 }));
      await refreshTokens.issue(sampleRefreshToken("a"));
      await sessions.purge(NOW_MS);
      assert.equal(await refreshTokens.find(sampleHash("a")), undefined);
      assert.deepEqual(await refreshTokens.rotate(rotation("a", "b")), { kind: "refused", cause: "unknown" });
    }));
}
