import type { ApiKey, ApiKeyStore } from "../../identity/api-keys/api-key.ts";
import { inOrderOfId } from "./order.ts";

/** API keys in memory: gone with the process. */
export function createMemoryApiKeyStore(): ApiKeyStore {
  const keys = new Map<string, ApiKey>();
  const ids = new Map<string, string>();

  function countLive(ownerId: string): number {
    const live = keys.values().filter((key) => key.ownerId === ownerId && key.revokedAtMs === null);
    return live.toArray().length;
  }

  return {
    async create(key, mostLive = Number.POSITIVE_INFINITY) {
      if (keys.has(key.id) || ids.has(key.publicId)) throw new Error("an API key with this id exists");
      if (key.ownerId !== null && countLive(key.ownerId) >= mostLive) return false;
      keys.set(key.id, copy(key));
      ids.set(key.publicId, key.id);
      return true;
    },
    findByPublicId(publicId) {
      const id = ids.get(publicId);
      return id === undefined ? undefined : keys.get(id);
    },
    findById: async (id) => keys.get(id),
    async list({ ownerId, unrevoked = false, afterId, limit }) {
      const wanted = inOrderOfId(keys.values(), afterId).filter(
        (key) =>
          (ownerId === undefined || key.ownerId === ownerId) && !(unrevoked && key.revokedAtMs !== null),
      );
      return wanted.slice(0, limit);
    },
    async rotate(id, currentHash, newHash, overlapUntilMs) {
      const key = keys.get(id);
      if (key === undefined || key.secretHash !== currentHash || key.revokedAtMs !== null) return false;
      const previous = { previousSecretHash: currentHash, previousExpiresAtMs: overlapUntilMs };
      keys.set(id, Object.freeze({ ...key, ...previous, secretHash: newHash }));
      return true;
    },
    async revoke(id, nowMs) {
      const key = keys.get(id);
      if (key === undefined || key.revokedAtMs !== null) return false;
      keys.set(id, Object.freeze({ ...key, revokedAtMs: nowMs }));
      return true;
    },
    async touch(ids, nowMs) {
      const first: string[] = [];
      for (const id of ids) {
        const key = keys.get(id);
        if (key === undefined) continue;
        if (key.lastUsedAtMs === null) first.push(id);
        const lastUsedAtMs = Math.max(nowMs, key.lastUsedAtMs ?? nowMs);
        keys.set(id, Object.freeze({ ...key, lastUsedAtMs }));
      }
      return first;
    },
  };
}

function copy(key: ApiKey): ApiKey {
  return Object.freeze({
    ...key,
    scopes: Object.freeze([...key.scopes]),
    addressRanges: Object.freeze([...key.addressRanges]),
    rateLimits: Object.freeze([...key.rateLimits]),
  });
}
