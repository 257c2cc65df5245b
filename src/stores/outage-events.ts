import type { AuditEvent, EventSink } from "../kernel/audit-event.ts";
import type { Clock } from "../kernel/clock.ts";
import type { OutageSubjectName, OutageWitness } from "./shared-outages.ts";

/** Where it is told that a dependency is away, and back. */
export interface OutageEvents {
  readonly clock: Clock;
  readonly events: EventSink;
  /** Told where an event could not be recorded; must not throw. */
  readonly onFailure: (error: unknown) => void;
  /** Where several threads have the dependency: an outage is told by one of them. */
  readonly witness?: ((subject: OutageSubjectName) => OutageWitness) | undefined;
}

export interface OutageSubject {
  readonly subject: OutageSubjectName;
  /** The reason of `store.recovered`. */
  readonly recovered: string;
  readonly details?: () => NonNullable<AuditEvent["details"]>;
}

/** What a breaker calls, told as `store.degraded` and `store.recovered`. */
export function outageEvents(
  { clock, events, onFailure, witness }: OutageEvents,
  { subject, recovered, details }: OutageSubject,
): { onOpen(cause: unknown): void; onClose(): void } {
  function tell(name: AuditEvent["name"], outcome: AuditEvent["outcome"], reason: string): void {
    const event: AuditEvent = {
      atMs: clock.now(),
      actor: { kind: "system" },
      name,
      outcome,
      subject,
      reason,
      ...(details && { details: details() }),
    };
    try {
      const pending = events.record(event);
      if (pending instanceof Promise) pending.catch(onFailure);
    } catch (error) {
      onFailure(error);
    }
  }

  const thread = witness?.(subject) ?? { begun: () => true, ended: () => true };
  const onClose = (): void => {
    if (thread.ended()) tell("store.recovered", "success", recovered);
  };
  // A thread that took this one's place may be the last to know of an outage that the other found.
  if (witness !== undefined) onClose();
  return {
    onOpen(cause) {
      if (thread.begun()) tell("store.degraded", "failure", reasonOf(cause));
    },
    onClose,
  };
}

/** The innermost cause, in its own words. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause === undefined ? cause.message : reasonOf(cause.cause);
}
