import type { Keyring } from "../crypto/keyring.ts";
import type { AuditStore } from "../identity/audit/audit-store.ts";
import type { StatementSigner } from "../identity/audit/statement.ts";
import { createStatementSigner } from "../identity/audit/statement.ts";
import type { TrailStatus } from "../identity/audit/trail.ts";
import { createTrail } from "../identity/audit/trail.ts";
import type { EventSink } from "../kernel/audit-event.ts";
import { systemClock } from "../kernel/clock.ts";
import type { AuditSinks } from "./audit-sinks/open-sinks.ts";
import { fanOutEvents } from "./event-fan-out.ts";
import type { Log } from "./log.ts";

export interface TrailParts {
  readonly store: AuditStore;
  readonly keyring: Keyring;
  readonly log: Log;
  /** Where entries are sent once they are durable; nowhere unless told. */
  readonly sinks?: AuditSinks;
  /** Told of every event at once, besides the log. */
  readonly others?: readonly EventSink[];
}

export interface OpenTrail {
  /** Log and trail in one: what is recorded here is durable once it resolves. */
  readonly events: EventSink;
  readonly signer: StatementSigner;
  status(): TrailStatus & { readonly shipping: { readonly waiting: number; readonly dropped: number } };
  close(): Promise<void>;
}

/** What the trail tells of itself, it writes when it can: the others alone are told at once. */
const NOWHERE: EventSink = { record: () => undefined };

/** The audit trail of a process, and the one sink that its parts record to. */
export function openTrail({ store, keyring, log, sinks, others = [] }: TrailParts): OpenTrail {
  const signer = createStatementSigner(keyring);
  const immediate = [log.events, ...others];
  const trail = createTrail({
    store,
    signer,
    clock: systemClock,
    announce: fanOutEvents({ immediate, durable: NOWHERE, onFailure: log.failure }).record,
    onFailure: log.failure,
    ...(sinks && { onWritten: sinks.ship }),
  });
  return {
    events: fanOutEvents({ immediate, durable: trail, onFailure: log.failure }),
    signer,
    status: () => ({ ...trail.status, shipping: sinks?.status() ?? { waiting: 0, dropped: 0 } }),
    async close() {
      await trail.close();
      await sinks?.close();
    },
  };
}
