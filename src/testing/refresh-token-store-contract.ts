import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SessionStore } from "../identity/sessions/session.ts";
import type { RefreshTokenStore, RotateOutcome, RotateRequest } from "../identity/tokens/refresh-token.ts";
import { Outage } from "../kernel/failure.ts";
import { refreshReuseContract } from "./refresh-reuse-contract.ts";
import {
  SAMPLE_NOW_MS as NOW_MS,
  sampleHash,
  sampleId,
  sampleRefreshToken,
  sampleSession,
} from "./samples.ts";
import { withOpened } from "./with-opened.ts";

export interface RefreshTokensAndSessions {
  readonly refreshTokens: RefreshTokenStore;
  readonly sessions: SessionStore;
}

/** Fresh, empty stores each time, and how to be rid of them. */
export type OpenRefreshTokens = () => Promise<RefreshTokensAndSessions & { close(): Promise<void> }>;

/** A rotation of `from` to `to` at an offset from the samples' instant, with a grace of ten seconds. */
export function rotation(
  from: string,
  to: string,
  afterMs = 0,
  parts: Partial<RotateRequest> = {},
): RotateRequest {
  return {
    hash: sampleHash(from),
    successorHash: sampleHash(to),
    nowMs: NOW_MS + afterMs,
    graceMs: 10_000,
    successorExpiresAtMs: NOW_MS + afterMs + 3_600_000,
    ...parts,
  };
}

/** An outcome that names the samples' family. */
export function ofFamily(kind: "rotated" | "repeated" | "reused"): RotateOutcome {
  return { kind, sessionId: sampleId(1), userId: sampleId(0) };
}

/** Registers the cases that every `RefreshTokenStore` has to pass, together with the sessions beside it. */
export function refreshTokenStoreContract(open: OpenRefreshTokens): void {
  const withStores = withOpened<RefreshTokensAndSessions>(open);
  const refused = (cause: string) => ({ kind: "refused", cause });

  describe("a refresh token store", () => {
    it("gives back every field of a token", () =>
      withStores(async ({ refreshTokens, sessions }) => {
        await sessions.start(sampleSession(1));
        const fresh = sampleRefreshToken("a", { issuedAtMs: NOW_MS - 1, expiresAtMs: 253_402_300_799_999 });
        const used = sampleRefreshToken("b", { usedAtMs: NOW_MS + 1, successorHash: sampleHash("c") });
        for (const token of [fresh, used]) {
          await refreshTokens.issue(token);
          assert.deepEqual(await refreshTokens.find(token.hash), token);
        }
        assert.equal(await refreshTokens.find(sampleHash("d")), undefined);
      }));

    it("issues no token twice, and none without a session: faults, not outages", () =>
      withStores(async ({ refreshTokens, sessions }) => {
        const isFault = (error: unknown) => error instanceof Error && !(error instanceof Outage);
        await assert.rejects(refreshTokens.issue(sampleRefreshToken("a")), isFault);
        await sessions.start(sampleSession(1));
        await refreshTokens.issue(sampleRefreshToken("a"));
        await assert.rejects(refreshTokens.issue(sampleRefreshToken("a", { expiresAtMs: 1 })), isFault);
        assert.deepEqual(await refreshTokens.find(sampleHash("a")), sampleRefreshToken("a"));
      }));

    it("rotates a token: it is used, and its successor stands in its place", () =>
      withStores(async ({ refreshTokens, sessions }) => {
        await sessions.start(sampleSession(1));
        await refreshTokens.issue(sampleRefreshToken("a"));
        assert.deepEqual(await refreshTokens.rotate(rotation("a", "b", 5)), ofFamily("rotated"));
        assert.deepEqual(
          await refreshTokens.find(sampleHash("a")),
          sampleRefreshToken("a", { usedAtMs: NOW_MS + 5, successorHash: sampleHash("b") }),
        );
        assert.deepEqual(
          await refreshTokens.find(sampleHash("b")),
          sampleRefreshToken("b", { issuedAtMs: NOW_MS + 5, expiresAtMs: NOW_MS + 5 + 3_600_000 }),
        );
        assert.deepEqual(await refreshTokens.rotate(rotation("b", "c", 6)), ofFamily("rotated"));
      }));

    it("refuses what is unknown, expired, or of a session that is over", () =>
      withStores(async ({ refreshTokens, sessions }) => {
        await sessions.start(sampleSession(1));
        await refreshTokens.issue(sampleRefreshToken("a"));
        assert.deepEqual(await refreshTokens.rotate(rotation("x", "b")), refused("unknown"));
        assert.deepEqual(await refreshTokens.rotate(rotation("A", "b")), refused("unknown"));
        await refreshTokens.issue(sampleRefreshToken("short", { expiresAtMs: NOW_MS + 10 }));
        assert.deepEqual(await refreshTokens.rotate(rotation("short", "b", 10)), refused("expired"));
        assert.deepEqual(await refreshTokens.rotate(rotation("short", "b", 9)), ofFamily("rotated"));

        const over = [
          sampleSession(2, { endedAtMs: NOW_MS }),
          sampleSession(3, { expiresAtMs: NOW_MS }),
          sampleSession(4, { idleExpiresAtMs: NOW_MS }),
        ];
        for (const { id } of over) {
          const token = sampleRefreshToken(`of-${id}`, { sessionId: id });
          await sessions.start(over.find((session) => session.id === id)!);
          await refreshTokens.issue(token);
          const outcome = await refreshTokens.rotate(rotation(`of-${id}`, `next-${id}`));
          assert.deepEqual(outcome, refused("session_ended"));
          assert.deepEqual(await refreshTokens.find(token.hash), token);
          assert.equal(await refreshTokens.find(sampleHash(`next-${id}`)), undefined);
        }
      }));

    it("refuses every token of a session from the moment it is ended", () =>
      withStores(async ({ refreshTokens, sessions }) => {
        await sessions.start(sampleSession(1));
        await refreshTokens.issue(sampleRefreshToken("a"));
        await refreshTokens.rotate(rotation("a", "b"));
        await sessions.end(sampleId(1), sampleId(0), NOW_MS);
        for (const hash of ["a", "b"]) {
          assert.deepEqual(await refreshTokens.rotate(rotation(hash, "z")), refused("session_ended"));
        }
      }));

    it("changes nothing where the successor cannot be stored", () =>
      withStores(async ({ refreshTokens, sessions }) => {
        await sessions.start(sampleSession(1));
        await refreshTokens.issue(sampleRefreshToken("a"));
        await refreshTokens.issue(sampleRefreshToken("taken"));
        await assert.rejects(refreshTokens.rotate(rotation("a", "taken")));
        await assert.rejects(refreshTokens.rotate(rotation("a", "a")));
        assert.deepEqual(await refreshTokens.find(sampleHash("a")), sampleRefreshToken("a"));
        assert.deepEqual(await refreshTokens.rotate(rotation("a", "b")), ofFamily("rotated"));
      }));

    it("lets one of 64 parallel rotations win; the others get its successor again", () =>
      withStores(async ({ refreshTokens, sessions }) => {
        await sessions.start(sampleSession(1));
        await refreshTokens.issue(sampleRefreshToken("a"));
        const outcomes = await Promise.all(
          Array.from({ length: 64 }, () => refreshTokens.rotate(rotation("a", "b"))),
        );
        const kinds = outcomes.map(({ kind }) => kind).sort();
        assert.deepEqual(kinds, [...Array<string>(63).fill("repeated"), "rotated"]);
        assert.equal((await sessions.findById(sampleId(1)))?.endedAtMs, null);
      }));

    refreshReuseContract(withStores);
  });
}
