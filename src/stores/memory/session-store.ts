import type { Session, SessionStore } from "../../identity/sessions/session.ts";
import { isLive } from "../../identity/sessions/session.ts";

/** Sessions whose reads are synchronous, as other stores in memory need them. */
export interface MemorySessionStore extends SessionStore {
  findById(id: string): Session | undefined;
  findBySecretHash(secretHash: string): Session | undefined;
  /** Every session, over or not. */
  all(): Iterable<Session>;
}

/** Sessions in memory: gone with the process. */
export function createMemorySessionStore(): MemorySessionStore {
  const sessions = new Map<string, Session>();
  const ids = new Map<string, string>();

  function change(session: Session, changes: Partial<Session>): void {
    sessions.set(session.id, Object.freeze({ ...session, ...changes }));
  }

  function ofUser(userId: string): Session[] {
    return sessions
      .values()
      .filter((session) => session.userId === userId)
      .toArray();
  }

  return {
    async start(session) {
      const taken = session.secretHash !== null && ids.has(session.secretHash);
      if (taken || sessions.has(session.id)) throw new Error("a session with this id or secret exists");
      change(session, {});
      if (session.secretHash !== null) ids.set(session.secretHash, session.id);
    },
    findById: (id) => sessions.get(id),
    findBySecretHash(secretHash) {
      const id = ids.get(secretHash);
      return id === undefined ? undefined : sessions.get(id);
    },
    all: () => sessions.values(),
    async listLive(userId, nowMs, { limit, afterId } = { limit: Number.POSITIVE_INFINITY }) {
      return ofUser(userId)
        .filter((session) => isLive(session, nowMs) && (afterId === undefined || session.id < afterId))
        .sort((a, b) => (a.id < b.id ? 1 : -1))
        .slice(0, limit);
    },
    async touch(ids, lastSeenAtMs, idleExpiresAtMs) {
      for (const id of ids) {
        const session = sessions.get(id);
        if (session === undefined || !isLive(session, lastSeenAtMs)) continue;
        if (session.lastSeenAtMs < lastSeenAtMs) change(session, { lastSeenAtMs, idleExpiresAtMs });
      }
    },
    async reauthenticate(id, currentHash, newHash, authenticatedAtMs, mfa) {
      // A session neither gains a cookie nor loses it.
      if ((currentHash === null) !== (newHash === null)) return false;
      const session = sessions.get(id);
      if (session === undefined || session.secretHash !== currentHash || session.endedAtMs !== null)
        return false;
      if (currentHash !== null && newHash !== null) {
        if (newHash !== currentHash && ids.has(newHash)) throw new Error("a session with this secret exists");
        ids.delete(currentHash);
        ids.set(newHash, id);
      }
      change(session, { secretHash: newHash, authenticatedAtMs, ...(mfa !== undefined && { mfa }) });
      return true;
    },
    async end(id, userId, nowMs) {
      const session = sessions.get(id);
      if (session === undefined || session.userId !== userId || session.endedAtMs !== null) return false;
      change(session, { endedAtMs: nowMs });
      return true;
    },
    async endAll(userId, nowMs, exceptId) {
      const ending = ofUser(userId).filter(({ id, endedAtMs }) => endedAtMs === null && id !== exceptId);
      for (const session of ending) change(session, { endedAtMs: nowMs });
      return ending.map((session) => session.id);
    },
    async purge(beforeMs) {
      const dead = sessions
        .values()
        .filter(
          ({ endedAtMs, expiresAtMs, idleExpiresAtMs }) =>
            Math.min(endedAtMs ?? Infinity, expiresAtMs, idleExpiresAtMs) < beforeMs,
        )
        .toArray();
      for (const { id, secretHash } of dead) {
        sessions.delete(id);
        if (secretHash !== null) ids.delete(secretHash);
      }
      return dead.length;
    },
  };
}
