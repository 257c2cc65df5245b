import type { FactorStore, FactorSummary, Passkey, TotpFactor } from "../../identity/factors/factor.ts";
import { isLaterCounter } from "../../identity/factors/factor.ts";
import { inOrderOfId } from "./order.ts";

/** Second factors in memory: gone with the process. */
export function createMemoryFactorStore(): FactorStore {
  /** By user. */
  const totps = new Map<string, TotpFactor>();
  const codes = new Map<string, Set<string>>();
  /** By id. */
  const passkeys = new Map<string, Passkey>();

  function passkeysOf(userId: string): Passkey[] {
    return inOrderOfId(passkeys.values(), undefined).filter((passkey) => passkey.userId === userId);
  }

  function isConfirmed(userId: string): boolean {
    return (totps.get(userId)?.confirmedAtMs ?? null) !== null;
  }

  function summaryOf(userId: string): FactorSummary {
    return {
      totp: isConfirmed(userId),
      passkeys: passkeysOf(userId).length,
      recoveryCodesLeft: codes.get(userId)?.size ?? 0,
    };
  }

  function totpOf(id: string): TotpFactor | undefined {
    return totps.values().find((factor) => factor.id === id);
  }

  function put(factor: TotpFactor): void {
    totps.set(factor.userId, Object.freeze({ ...factor }));
  }

  function forgetCodesWithoutFactor(userId: string): void {
    if (!isConfirmed(userId) && passkeysOf(userId).length === 0) codes.delete(userId);
  }

  return {
    summaryOf: async (userId) => summaryOf(userId),
    summariesOf: async (userIds) => new Map(userIds.map((userId) => [userId, summaryOf(userId)])),

    findTotp: async (userId) => totps.get(userId),
    async offerTotp(factor) {
      if (isConfirmed(factor.userId)) return false;
      put(factor);
      return true;
    },
    async confirmTotp({ id, userId, step, nowMs, recoveryCodeHashes }) {
      const factor = totps.get(userId);
      if (factor?.id !== id || factor.confirmedAtMs !== null) return false;
      put({ ...factor, confirmedAtMs: nowMs, lastStep: step });
      codes.set(userId, new Set(recoveryCodeHashes));
      return true;
    },
    async useTotpStep(id, step) {
      const factor = totpOf(id);
      if (factor === undefined || factor.confirmedAtMs === null) return false;
      if (factor.lastStep !== null && step <= factor.lastStep) return false;
      put({ ...factor, lastStep: step });
      return true;
    },
    async listTotpSealedOtherwise(prefix, limit, afterUserId = "") {
      return [...totps.values()]
        .filter(({ userId, sealedSecret }) => userId > afterUserId && !sealedSecret.startsWith(prefix))
        .sort((one, other) => (one.userId < other.userId ? -1 : 1))
        .slice(0, limit);
    },
    async resealTotp(id, current, sealedSecret) {
      const factor = totpOf(id);
      if (factor?.sealedSecret !== current) return false;
      put({ ...factor, sealedSecret });
      return true;
    },

    async replaceRecoveryCodes(userId, hashes) {
      if (!isConfirmed(userId) && passkeysOf(userId).length === 0) return false;
      codes.set(userId, new Set(hashes));
      return true;
    },
    useRecoveryCode: async (userId, hash) => codes.get(userId)?.delete(hash) ?? false,

    findPasskey: async (credentialId) =>
      passkeys.values().find((passkey) => passkey.credentialId === credentialId),
    listPasskeys: async (userId) => passkeysOf(userId),
    async addPasskey(passkey, recoveryCodeHashes) {
      const { id, userId, credentialId } = passkey;
      if (passkeys.values().some((other) => other.credentialId === credentialId)) return "conflict";
      if (passkeys.has(id)) throw new Error("a passkey with this id exists");
      passkeys.set(id, Object.freeze({ ...passkey }));
      if ((codes.get(userId)?.size ?? 0) > 0) return "added";
      codes.set(userId, new Set(recoveryCodeHashes));
      return "added_with_codes";
    },
    async usePasskey(id, counter, nowMs) {
      const passkey = passkeys.get(id);
      if (passkey === undefined || !isLaterCounter(counter, passkey.counter)) return false;
      passkeys.set(id, Object.freeze({ ...passkey, counter, lastUsedAtMs: nowMs }));
      return true;
    },

    async removeTotp(userId) {
      const removed = totps.delete(userId);
      forgetCodesWithoutFactor(userId);
      return removed;
    },
    async removePasskey(id, userId, keepLast) {
      if (passkeys.get(id)?.userId !== userId) return "unknown";
      if (keepLast && passkeysOf(userId).length === 1) return "last";
      passkeys.delete(id);
      forgetCodesWithoutFactor(userId);
      return "removed";
    },
    async removeAll(userId) {
      const before = summaryOf(userId);
      totps.delete(userId);
      codes.delete(userId);
      for (const { id } of passkeysOf(userId)) passkeys.delete(id);
      return before;
    },
  };
}
