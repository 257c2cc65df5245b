import { openKeyring } from "../crypto/keyring.ts";
import type { AuditStore } from "../identity/audit/audit-store.ts";
import type { EventSink } from "../kernel/audit-event.ts";
import { failureReport } from "./failure-report.ts";
import type { OpenTrail } from "./open-trail.ts";
import { openTrail } from "./open-trail.ts";

export interface AuditTrailOptions {
  /** As for `createKyros`: signs the statements on the trail. */
  readonly secret: string;
  readonly previousSecrets?: readonly string[];
  readonly store: AuditStore;
  /** Told of every event at once, before it is durable: a log, counters. */
  readonly others?: readonly EventSink[];
  /** Failures to write; `process.emitWarning` unless told. */
  readonly onFailure?: (error: unknown) => void;
}

/** The audit trail of a host app: its `events` go to `createKyros`, and `close` writes what is left. */
export function createAuditTrail(options: AuditTrailOptions): OpenTrail {
  const { secret, previousSecrets = [], store, others = [] } = options;
  return openTrail({
    store,
    keyring: openKeyring({ current: secret, previous: previousSecrets }),
    others,
    log: {
      events: { record: () => undefined },
      failure: failureReport(options.onFailure),
      info: () => undefined,
    },
  });
}
