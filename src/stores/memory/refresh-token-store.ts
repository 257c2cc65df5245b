import { isLive } from "../../identity/sessions/session.ts";
import type { RefreshToken, RefreshTokenStore } from "../../identity/tokens/refresh-token.ts";
import { judgeRotation, successorOf } from "../../identity/tokens/refresh-token.ts";
import type { MemorySessionStore } from "./session-store.ts";

/** Refresh tokens in memory, beside the sessions they belong to; without its session a token does not exist. */
export function createMemoryRefreshTokenStore(sessions: MemorySessionStore): RefreshTokenStore {
  const tokens = new Map<string, RefreshToken>();

  function add(token: RefreshToken): void {
    if (sessions.findById(token.sessionId) === undefined) throw new Error("the session does not exist");
    if (tokens.has(token.hash)) throw new Error("a refresh token with this hash exists");
    tokens.set(token.hash, Object.freeze({ ...token }));
  }

  function find(hash: string): RefreshToken | undefined {
    const token = tokens.get(hash);
    return token && sessions.findById(token.sessionId) && token;
  }

  return {
    issue: async (token) => add(token),
    async rotate(request) {
      const token = find(request.hash);
      const session = token && sessions.findById(token.sessionId);
      const outcome = judgeRotation(
        token,
        session,
        token?.successorHash ? find(token.successorHash) : undefined,
        request,
      );
      if (outcome.kind === "rotated") {
        add(successorOf(outcome, request));
        const used = { usedAtMs: request.nowMs, successorHash: request.successorHash };
        tokens.set(request.hash, Object.freeze({ ...token!, ...used }));
      } else if (outcome.kind === "reused") {
        await sessions.end(session!.id, session!.userId, request.nowMs);
      }
      return outcome;
    },
    find: async (hash) => find(hash),
    async purge(beforeMs) {
      let removed = 0;
      for (const { hash, sessionId, expiresAtMs, usedAtMs } of tokens.values()) {
        const session = sessions.findById(sessionId);
        if (session === undefined) {
          tokens.delete(hash);
        } else if (expiresAtMs < beforeMs && (usedAtMs === null || !isLive(session, beforeMs - 1))) {
          tokens.delete(hash);
          removed += 1;
        }
      }
      return removed;
    },
  };
}
