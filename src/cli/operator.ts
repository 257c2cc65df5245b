import { loadSettings } from "../config/load.ts";
import { createPasswords } from "../crypto/password.ts";
import type { StatementSigner } from "../identity/audit/statement.ts";
import type { Act, EventSink } from "../kernel/audit-event.ts";
import { systemClock } from "../kernel/clock.ts";
import { systemRandom } from "../kernel/random.ts";
import { openAuditSinks } from "../service/audit-sinks/open-sinks.ts";
import type { Identity } from "../service/compose-identity.ts";
import { composeIdentity } from "../service/compose-identity.ts";
import { openConfiguredKeyring } from "../service/configured-keyring.ts";
import { createLog } from "../service/log.ts";
import { logDestination } from "../service/log-destination.ts";
import { openTrail } from "../service/open-trail.ts";
import type { Stores } from "../stores/open.ts";
import { openStores } from "../stores/open.ts";

/** What a command works on: the configured stores and the domain over them, acting as the operator. */
export interface Operator extends Identity {
  readonly stores: Stores;
  /** Signs statements on the audit trail. */
  readonly signer: StatementSigner;
  readonly act: Act;
  readonly events: EventSink;
}

/** Runs a command on the configured database, brought to the current schema, and closes it whatever happens. */
export async function asOperator<T>(work: (operator: Operator) => Promise<T>): Promise<T> {
  const settings = loadSettings();
  const keyring = openConfiguredKeyring(settings);
  const stores = await openStores({ databaseUrl: settings.databaseUrl });
  // Standard output is the command's answer; what it did is told beside it.
  const log = createLog(settings.logLevel, logDestination(2));
  const trail = openTrail({
    store: stores.audit,
    keyring,
    log,
    sinks: openAuditSinks({
      urls: settings.auditSinks,
      webhookSecret: settings.auditWebhookSecret,
      clock: systemClock,
      onFailure: log.failure,
    }),
  });
  try {
    await stores.migrate();
    const identity = composeIdentity({
      keyring,
      stores,
      passwords: createPasswords({ cost: settings.bcryptCost }),
      staticKeys: [],
      passkeyOrigins: settings.passkeyOrigins,
      ttlMs: {
        refreshToken: settings.refreshTokenTtlMs,
        sessionIdle: settings.sessionIdleTtlMs,
        sessionMax: settings.sessionMaxTtlMs,
      },
      clock: systemClock,
      random: systemRandom,
      events: trail.events,
    });
    return await work({
      ...identity,
      stores,
      signer: trail.signer,
      events: trail.events,
      act: { atMs: systemClock.now(), actor: { kind: "operator" } },
    });
  } finally {
    await trail.close();
    await stores.close();
  }
}
