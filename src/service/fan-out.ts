import type { EventSink } from "../kernel/audit-event.ts";

/**
 * One sink of several: each is told of every event, whatever becomes of the others. Recorded is what all of them have
 * recorded: where one fails, so does `record`, with the first failure.
 */
export function fanOut(sinks: readonly EventSink[]): EventSink {
  return {
    record(event) {
      const pending: Promise<void>[] = [];
      const failures: unknown[] = [];
      for (const sink of sinks) {
        try {
          const recorded = sink.record(event);
          if (recorded instanceof Promise) pending.push(recorded);
        } catch (error) {
          failures.push(error);
        }
      }
      if (pending.length === 0 && failures.length === 0) return;
      return settle(pending, failures);
    },
  };
}

async function settle(pending: readonly Promise<void>[], failures: unknown[]): Promise<void> {
  for (const result of await Promise.allSettled(pending)) {
    if (result.status === "rejected") failures.push(result.reason);
  }
  if (failures.length > 0) throw failures[0];
}
