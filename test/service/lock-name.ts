import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openKeyring } from "../../src/crypto/keyring.ts";
import type { Lockouts } from "../../src/identity/accounts/lockouts.ts";
import { createLockouts, LOCKOUT_POLICY } from "../../src/identity/accounts/lockouts.ts";
import type { Stores } from "../../src/stores/open.ts";

/** The lockouts of a service by the development secret in its data directory. */
export function lockoutsOf(dataDir: string, stores: Pick<Stores, "lockouts">): Lockouts {
  const current = readFileSync(join(dataDir, "secret"), "latin1").trim();
  return createLockouts({
    store: stores.lockouts,
    key: openKeyring({ current }).derive("kyros/lockout", 32),
  });
}

/** Locks a canonical name everywhere, as guessing would, without a hash for each guess. */
export async function lockName(lockouts: Lockouts, usernameKey: string, addresses: readonly string[]) {
  for (const address of addresses) {
    for (let i = 0; i < LOCKOUT_POLICY.mostFailures; i++) {
      await lockouts.settle(usernameKey, false, { atMs: Date.now(), actor: { kind: "anonymous" }, address });
    }
  }
}
