import assert from "node:assert/strict";
import { it } from "node:test";
import type { SessionStore } from "../identity/sessions/session.ts";
import { SAMPLE_NOW_MS as NOW_MS, sampleHash, sampleId, sampleSession } from "./samples.ts";
import type { WithOpened } from "./with-opened.ts";

/** The part of the session contract that ends and purges. */
export function sessionEndContract(withStore: WithOpened<{ readonly sessions: SessionStore }>): void {
  it("ends a session once, for its own user alone, and is seen at once", () =>
    withStore(async ({ sessions }) => {
      await sessions.start(sampleSession(1));
      await sessions.findBySecretHash(sampleHash("secret1"));
      assert.equal(await sessions.end(sampleId(1), sampleId(99), NOW_MS), false);
      assert.equal(await sessions.end(sampleId(2), sampleId(0), NOW_MS), false);
      assert.equal((await sessions.findById(sampleId(1)))?.endedAtMs, null);
      assert.equal(await sessions.end(sampleId(1), sampleId(0), NOW_MS + 7), true);
      const ended = sampleSession(1, { endedAtMs: NOW_MS + 7 });
      assert.deepEqual(await sessions.findById(sampleId(1)), ended);
      assert.deepEqual(await sessions.findBySecretHash(sampleHash("secret1")), ended);
      assert.equal(await sessions.end(sampleId(1), sampleId(0), NOW_MS + 9), false);
      assert.deepEqual(await sessions.findById(sampleId(1)), ended);
      assert.deepEqual(await sessions.listLive(sampleId(0), NOW_MS), []);
    }));

  it("tells one of many who end a session at once that it was them", () =>
    withStore(async ({ sessions }) => {
      await sessions.start(sampleSession(1));
      const told = await Promise.all(
        Array.from({ length: 16 }, () => sessions.end(sampleId(1), sampleId(0), NOW_MS)),
      );
      assert.equal(told.filter(Boolean).length, 1);
    }));

  it("ends all sessions of one user but the one that is kept", () =>
    withStore(async ({ sessions }) => {
      for (const n of [1, 2, 3]) await sessions.start(sampleSession(n));
      await sessions.start(sampleSession(4, { endedAtMs: NOW_MS - 5 }));
      await sessions.start(sampleSession(5, { expiresAtMs: NOW_MS - 5 }));
      await sessions.start(sampleSession(6, { userId: sampleId(99) }));
      const ended = await sessions.endAll(sampleId(0), NOW_MS, sampleId(2));
      assert.deepEqual([...ended].sort(), [1, 3, 5].map(sampleId));
      for (const n of [1, 3, 5]) assert.equal((await sessions.findById(sampleId(n)))?.endedAtMs, NOW_MS);
      assert.equal((await sessions.findById(sampleId(4)))?.endedAtMs, NOW_MS - 5);
      assert.deepEqual(await sessions.findById(sampleId(2)), sampleSession(2));
      assert.deepEqual(await sessions.findById(sampleId(6)), sampleSession(6, { userId: sampleId(99) }));
      assert.deepEqual(await sessions.endAll(sampleId(0), NOW_MS), [sampleId(2)]);
      assert.deepEqual(await sessions.endAll(sampleId(0), NOW_MS), []);
    }));

  it("purges what ended or ran out before the instant, and nothing else", () =>
    withStore(async ({ sessions }) => {
      const gone = [
        sampleSession(1, { endedAtMs: NOW_MS - 1 }),
        sampleSession(2, { expiresAtMs: NOW_MS - 1 }),
        sampleSession(3, { idleExpiresAtMs: NOW_MS - 1 }),
      ];
      const kept = [
        sampleSession(4),
        sampleSession(5, { endedAtMs: NOW_MS }),
        sampleSession(6, { expiresAtMs: NOW_MS }),
        sampleSession(7, { idleExpiresAtMs: NOW_MS }),
      ];
      for (const session of [...gone, ...kept]) {
        await sessions.start(session);
        await sessions.findById(session.id);
      }
      assert.equal(await sessions.purge(NOW_MS), 3);
      for (const { id, secretHash } of gone) {
        assert.equal(await sessions.findById(id), undefined);
        assert.equal(await sessions.findBySecretHash(secretHash!), undefined);
      }
      for (const session of kept) assert.deepEqual(await sessions.findById(session.id), session);
      assert.equal(await sessions.purge(NOW_MS), 0);
      await sessions.start(sampleSession(1));
      assert.deepEqual(await sessions.findBySecretHash(sampleHash("secret1")), sampleSession(1));
    }));

  it("purges many rows at once", () =>
    withStore(async ({ sessions }) => {
      const dead = Array.from({ length: 260 }, (_, n) => sampleSession(n, { endedAtMs: NOW_MS - 1 }));
      await Promise.all(dead.map((session) => sessions.start(session)));
      await sessions.start(sampleSession(5_000));
      assert.equal(await sessions.purge(NOW_MS), 260);
      assert.equal((await sessions.listLive(sampleId(0), NOW_MS)).length, 1);
    }));
}
