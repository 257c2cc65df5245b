import type { AuditEvent, EventSink } from "../kernel/audit-event.ts";

export interface FanOutParts {
  /** Told at once, whatever becomes of the rest: the log, counters. A fault of theirs is nobody's outage. */
  readonly immediate: readonly EventSink[];
  /** Decides whether a fact is recorded: what it resolves to, or throws, is what the caller waits for. */
  readonly durable: EventSink;
  readonly onFailure: (error: unknown) => void;
}

/** One sink that tells all: the immediate ones first, so that the log has an act that the trail could not take. */
export function fanOutEvents({ immediate, durable, onFailure }: FanOutParts): EventSink {
  function tell(sink: EventSink, event: AuditEvent): void {
    try {
      const pending = sink.record(event);
      if (pending instanceof Promise) pending.catch(onFailure);
    } catch (error) {
      onFailure(error);
    }
  }

  return {
    record(event) {
      for (const sink of immediate) tell(sink, event);
      return durable.record(event);
    },
    assertWritable: () => durable.assertWritable?.(),
  };
}
