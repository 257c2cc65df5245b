import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SessionPage, SessionStore } from "../identity/sessions/session.ts";
import { Outage } from "../kernel/failure.ts";
import { SAMPLE_NOW_MS as NOW_MS, sampleHash, sampleId, sampleSession } from "./samples.ts";
import { sessionEndContract } from "./session-end-contract.ts";
import { withOpened } from "./with-opened.ts";

/** A fresh, empty store each time, and how to be rid of it. */
export type OpenSessions = () => Promise<{ readonly sessions: SessionStore; close(): Promise<void> }>;

/** Registers the cases that every `SessionStore` has to pass. */
export function sessionStoreContract(open: OpenSessions): void {
  const withStore = withOpened(open);
  const ID = sampleId(1);

  describe("a session store", () => {
    it("gives back every field of a session, by id and by the hash of its secret", () =>
      withStore(async ({ sessions }) => {
        const browser = sampleSession(1, {
          userAgent: "Überbrowser/1.0 \u{1f512}\n'--",
          address: "2001:db8::1",
          createdAtMs: 1_700_000_000_001,
          lastSeenAtMs: 1_700_000_000_002,
          authenticatedAtMs: 1_700_000_000_003,
          expiresAtMs: 253_402_300_799_999,
          idleExpiresAtMs: 1_700_000_000_005,
          endedAtMs: 1_700_000_000_006,
        });
        const token = sampleSession(2, { kind: "token", secretHash: null, userAgent: null });
        for (const session of [browser, token]) {
          await sessions.start(session);
          assert.deepEqual(await sessions.findById(session.id), session);
        }
        assert.deepEqual(await sessions.findBySecretHash(browser.secretHash!), browser);
      }));

    it("finds nothing for an unknown id or hash, nor a token session by any hash", () =>
      withStore(async ({ sessions }) => {
        await sessions.start(sampleSession(1, { kind: "token", secretHash: null }));
        await sessions.start(sampleSession(2));
        const hash = sampleHash("secret2");
        for (const text of [
          "",
          "null",
          "%",
          hash.slice(0, -1),
          `${hash}_`,
          hash.toUpperCase(),
          `${hash}\0`,
        ]) {
          assert.equal(await sessions.findBySecretHash(text), undefined, text);
          assert.equal(await sessions.findById(text), undefined, text);
        }
      }));

    it("refuses a second session with the same id or secret, as a fault and not an outage", () =>
      withStore(async ({ sessions }) => {
        await sessions.start(sampleSession(1));
        const isFault = (error: unknown) => error instanceof Error && !(error instanceof Outage);
        await assert.rejects(sessions.start(sampleSession(1, { secretHash: sampleHash("other") })), isFault);
        await assert.rejects(
          sessions.start(sampleSession(2, { secretHash: sampleHash("secret1") })),
          isFault,
        );
        assert.deepEqual(await sessions.findBySecretHash(sampleHash("secret1")), sampleSession(1));
        assert.equal(await sessions.findById(sampleId(2)), undefined);
      }));

    it("lists a user's live sessions, newest first", () =>
      withStore(async ({ sessions }) => {
        for (const n of [2, 1, 3]) await sessions.start(sampleSession(n));
        await sessions.start(sampleSession(4, { kind: "token", secretHash: null }));
        await sessions.start(sampleSession(5, { userId: sampleId(99) }));
        await sessions.start(sampleSession(6, { endedAtMs: NOW_MS - 1 }));
        await sessions.start(sampleSession(7, { expiresAtMs: NOW_MS }));
        await sessions.start(sampleSession(8, { idleExpiresAtMs: NOW_MS }));
        const list = async (page?: SessionPage) =>
          (await sessions.listLive(sampleId(0), NOW_MS, page)).map(({ id }) => id);
        assert.deepEqual(await list(), [4, 3, 2, 1].map(sampleId));
        assert.deepEqual(await list({ limit: 3 }), [4, 3, 2].map(sampleId));
        assert.deepEqual(await list({ limit: 3, afterId: sampleId(3) }), [2, 1].map(sampleId));
        assert.deepEqual(await list({ limit: 3, afterId: sampleId(1) }), []);
        const [, , listed] = await sessions.listLive(sampleId(0), NOW_MS);
        assert.deepEqual(listed, sampleSession(2));
      }));

    it("moves a session's last sight and idle end forward, and is seen at once", () =>
      withStore(async ({ sessions }) => {
        await sessions.start(sampleSession(1));
        await sessions.start(sampleSession(2));
        await sessions.findById(ID);
        await sessions.touch([ID], NOW_MS + 60_000, NOW_MS + 7_200_000);
        const touched = sampleSession(1, {
          lastSeenAtMs: NOW_MS + 60_000,
          idleExpiresAtMs: NOW_MS + 7_200_000,
        });
        assert.deepEqual(await sessions.findById(ID), touched);
        assert.deepEqual(await sessions.findBySecretHash(touched.secretHash!), touched);
        await sessions.touch([ID], NOW_MS + 30_000, NOW_MS + 3_600_000);
        assert.deepEqual(await sessions.findById(ID), touched);
        assert.deepEqual(await sessions.findById(sampleId(2)), sampleSession(2));
        await sessions.touch([sampleId(3), sampleId(2), ID], NOW_MS + 90_000, NOW_MS + 9_000_000);
        for (const n of [1, 2]) {
          assert.deepEqual(
            await sessions.findById(sampleId(n)),
            sampleSession(n, { lastSeenAtMs: NOW_MS + 90_000, idleExpiresAtMs: NOW_MS + 9_000_000 }),
          );
        }
        assert.equal(await sessions.findById(sampleId(3)), undefined);
      }));

    it("revives no session that has ended or run out", () =>
      withStore(async ({ sessions }) => {
        const dead = [
          sampleSession(1, { endedAtMs: NOW_MS }),
          sampleSession(2, { expiresAtMs: NOW_MS + 10 }),
          sampleSession(3, { idleExpiresAtMs: NOW_MS + 10 }),
        ];
        for (const session of dead) {
          await sessions.start(session);
          await sessions.touch([session.id], NOW_MS + 10, NOW_MS + 10_000_000);
          assert.deepEqual(await sessions.findById(session.id), session);
        }
      }));

    it("replaces a secret: the new one finds the session, the old one nothing", () =>
      withStore(async ({ sessions }) => {
        const [oldHash, newHash] = [sampleHash("secret1"), sampleHash("fresh")];
        await sessions.start(sampleSession(1));
        await sessions.findBySecretHash(oldHash);
        assert.equal(await sessions.findBySecretHash(newHash), undefined);
        assert.equal(await sessions.reauthenticate(ID, oldHash, newHash, NOW_MS + 5), true);
        assert.equal(await sessions.findBySecretHash(oldHash), undefined);
        const replaced = sampleSession(1, { secretHash: newHash, authenticatedAtMs: NOW_MS + 5 });
        assert.deepEqual(await sessions.findBySecretHash(newHash), replaced);
        assert.deepEqual(await sessions.findById(ID), replaced);
        assert.equal(await sessions.reauthenticate(ID, newHash, oldHash, NOW_MS + 6, true), true);
        assert.equal((await sessions.findById(ID))?.mfa, true);
        assert.equal(await sessions.reauthenticate(ID, oldHash, newHash, NOW_MS + 7), true);
        assert.equal((await sessions.findById(ID))?.mfa, true, "stays as it is unless told");
        assert.equal(await sessions.reauthenticate(ID, newHash, oldHash, NOW_MS + 8, false), true);
        assert.equal((await sessions.findById(ID))?.mfa, false);
      }));

    it("notes a fresh proof in a token session, which has no secret and gets none", () =>
      withStore(async ({ sessions }) => {
        const session = sampleSession(1, { kind: "token", secretHash: null });
        await sessions.start(session);
        assert.equal(await sessions.reauthenticate(ID, null, sampleHash("fresh"), NOW_MS + 5), false);
        assert.equal(await sessions.reauthenticate(ID, null, null, NOW_MS + 5), true);
        assert.deepEqual(await sessions.findById(ID), { ...session, authenticatedAtMs: NOW_MS + 5 });
        assert.equal(await sessions.end(ID, session.userId, NOW_MS), true);
        assert.equal(await sessions.reauthenticate(ID, null, null, NOW_MS + 6), false);
      }));

    it("replaces no secret that is another's, another by now, or of a session that has ended", () =>
      withStore(async ({ sessions }) => {
        await sessions.start(sampleSession(1));
        await sessions.start(sampleSession(2, { endedAtMs: NOW_MS }));
        const [fresh, first, second] = ["fresh", "secret1", "secret2"].map(sampleHash) as [
          string,
          string,
          string,
        ];
        const refused: Parameters<SessionStore["reauthenticate"]>[] = [
          [ID, second, fresh, NOW_MS],
          [ID, null, fresh, NOW_MS],
          [ID, null, null, NOW_MS],
          [ID, first, null, NOW_MS],
          [sampleId(2), second, fresh, NOW_MS],
          [sampleId(4), first, fresh, NOW_MS],
        ];
        for (const one of refused) assert.equal(await sessions.reauthenticate(...one), false);
        assert.equal(await sessions.findBySecretHash(fresh), undefined);
        await assert.rejects(sessions.reauthenticate(ID, first, second, NOW_MS));
        assert.deepEqual(await sessions.findBySecretHash(first), sampleSession(1));
      }));

    it("lets one of many concurrent replacements of a secret win", () =>
      withStore(async ({ sessions }) => {
        await sessions.start(sampleSession(1));
        const fresh = Array.from({ length: 16 }, (_, n) => sampleHash(`fresh${n}`));
        const won = await Promise.all(
          fresh.map((hash) => sessions.reauthenticate(ID, sampleHash("secret1"), hash, NOW_MS)),
        );
        assert.equal(won.filter(Boolean).length, 1);
        assert.equal((await sessions.findById(ID))?.secretHash, fresh[won.indexOf(true)]);
      }));

    sessionEndContract(withStore);
  });
}
