import { hmacSha256 } from "../../crypto/digest.ts";
import type { Act, AuditEvent } from "../../kernel/audit-event.ts";
import { limitKeyOfAddress, UNKNOWN_ADDRESS } from "../../net/address.ts";
import type { AttemptOutcome, LockoutPolicy, LockoutStore, SignInAttempt } from "./lockout.ts";

export interface LockoutsOptions {
  readonly store: LockoutStore;
  /** What names and places are hashed under; 32 bytes of its own purpose. */
  readonly key: Uint8Array;
}

/** Locks against guessing the password or second factor of one name from everywhere at once. */
export interface Lockouts {
  /** Counts a password or factor that was tried under a canonical user name, and says whether it may count. */
  settle(usernameKey: string, proved: SignInAttempt["proved"], act: Act): Promise<AttemptOutcome>;
  /** Forgets the failures of a name; resolves to whether it was locked anywhere. */
  unlock(usernameKey: string, nowMs: number): Promise<boolean>;
  /** Of these names, the ones that are locked anywhere, and until when at the latest. */
  lockedUntil(usernameKeys: readonly string[], nowMs: number): Promise<ReadonlyMap<string, number>>;
}

/**
 * 100 failures in a row (NIST SP 800-63B-4 section 3.2.2; ASVS V6.3.1) lock a name for a day. Each place that the name
 * has signed in from in the last 90 days has a count of its own, so that guessing from elsewhere never keeps its user
 * out there.
 */
export const LOCKOUT_POLICY: LockoutPolicy = Object.freeze({
  mostFailures: 100,
  lockMs: 86_400_000,
  placeTtlMs: 90 * 86_400_000,
});

/** The fact that a name, or the account of this id, is locked from now on. */
export function lockEvent(act: Act, subject: string): AuditEvent {
  return {
    ...act,
    name: "user.updated",
    outcome: "success",
    subject,
    reason: "too many failed sign-ins in a row",
    details: { locked: true },
  };
}

export function createLockouts({ store, key }: LockoutsOptions): Lockouts {
  const hash = (text: string): string => hmacSha256(key, text).toString("base64url");
  // A canonical user name has no space in it: no two pairs of name and place are one text.
  const nameHashOf = (usernameKey: string): string => hash(`name ${usernameKey}`);

  function placeHashOf(usernameKey: string, address: string | undefined): string | null {
    if (address === undefined || address === "" || address === UNKNOWN_ADDRESS) return null;
    return hash(`place ${usernameKey} ${limitKeyOfAddress(address)}`);
  }

  return {
    settle: (usernameKey, proved, act) =>
      store.settle({
        ...LOCKOUT_POLICY,
        nameHash: nameHashOf(usernameKey),
        placeHash: placeHashOf(usernameKey, act.address),
        proved,
        atMs: act.atMs,
      }),
    unlock: (usernameKey, nowMs) => store.unlock(nameHashOf(usernameKey), nowMs),
    async lockedUntil(usernameKeys, nowMs) {
      const names = new Map(usernameKeys.map((usernameKey) => [nameHashOf(usernameKey), usernameKey]));
      const locked = await store.lockedUntil([...names.keys()], nowMs);
      return new Map(locked.entries().map(([nameHash, untilMs]) => [names.get(nameHash)!, untilMs]));
    },
  };
}
