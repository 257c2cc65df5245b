import pino from "pino";
import { resolveSecret } from "../config/development-secret.ts";
import { loadSettings } from "../config/load.ts";
import { generateSecret, openKeyring } from "../crypto/keyring.ts";
import { createPasswords } from "../crypto/password.ts";
import type { Act } from "../kernel/audit-event.ts";
import { systemClock } from "../kernel/clock.ts";
import { systemRandom } from "../kernel/random.ts";
import type { Identity } from "../service/compose-identity.ts";
import { composeIdentity } from "../service/compose-identity.ts";
import { createLog } from "../service/log.ts";
import type { Stores } from "../stores/open.ts";
import { openStores } from "../stores/open.ts";

/** What a command works on: the configured stores and the domain over them, acting as the operator. */
export interface Operator extends Identity {
  readonly stores: Stores;
  readonly act: Act;
}

/** Runs a command on the configured database, brought to the current schema, and closes it whatever happens. */
export async function asOperator<T>(work: (operator: Operator) => Promise<T>): Promise<T> {
  const settings = loadSettings();
  const stores = await openStores({ databaseUrl: settings.databaseUrl });
  try {
    await stores.migrate();
    const identity = composeIdentity({
      keyring: openKeyring({ current: resolveSecret(settings, () => generateSecret(systemRandom)) }),
      stores,
      passwords: createPasswords({ cost: settings.bcryptCost }),
      staticKeys: [],
      ttlMs: {
        refreshToken: settings.refreshTokenTtlMs,
        sessionIdle: settings.sessionIdleTtlMs,
        sessionMax: settings.sessionMaxTtlMs,
      },
      clock: systemClock,
      random: systemRandom,
      // Standard output is the command's answer; what it did is told beside it.
      events: createLog(settings.logLevel, pino.destination({ fd: 2, sync: true })).events,
    });
    return await work({ ...identity, stores, act: { atMs: systemClock.now(), actor: { kind: "operator" } } });
  } finally {
    await stores.close();
  }
}
