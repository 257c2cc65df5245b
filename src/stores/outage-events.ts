import type { AuditEvent, EventSink } from "../kernel/audit-event.ts";
import type { Clock } from "../kernel/clock.ts";

/** Where it is told that a dependency is away, and back. */
export interface OutageEvents {
  readonly clock: Clock;
  readonly events: EventSink;
  /** Told where an event could not be recorded; must not throw. */
  readonly onFailure: (error: unknown) => void;
}

export interface OutageSubject {
  readonly subject: string;
  /** The reason of `store.recovered`. */
  readonly recovered: string;
  readonly details?: () => NonNullable<AuditEvent["details"]>;
}

/** What a breaker calls, told as `store.degraded` and `store.recovered`. */
export function outageEvents(
  { clock, events, onFailure }: OutageEvents,
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

  return {
    onOpen: (cause) => tell("store.degraded", "failure", reasonOf(cause)),
    onClose: () => tell("store.recovered", "success", recovered),
  };
}

/** The innermost cause, in its own words. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause === undefined ? cause.message : reasonOf(cause.cause);
}
