import type { RevocationStore } from "../../identity/tokens/revocation.ts";

/** Revoked access tokens in memory: gone with the process, so only for tokens whose key is gone with it too. */
export function createMemoryRevocationStore(): RevocationStore {
  const expiries = new Map<string, number>();
  return {
    async revoke(tokenId, expiresAtMs) {
      expiries.set(tokenId, Math.max(expiresAtMs, expiries.get(tokenId) ?? expiresAtMs));
    },
    isRevoked: (tokenId) => expiries.has(tokenId),
    async purge(beforeMs) {
      const before = expiries.size;
      for (const [tokenId, expiresAtMs] of expiries) {
        if (expiresAtMs < beforeMs) expiries.delete(tokenId);
      }
      return before - expiries.size;
    },
  };
}
