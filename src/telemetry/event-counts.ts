import type { EventName, EventSink } from "../kernel/audit-event.ts";
import { EVENT_NAMES } from "../kernel/audit-event.ts";
import type { MetricFamily } from "./metric-family.ts";
import { samplesOf } from "./metric-family.ts";

/** Counts security events by their names, as one sink of them. */
export interface EventCounts {
  readonly sink: EventSink;
  readonly families: readonly MetricFamily[];
}

export function createEventCounts(): EventCounts {
  const counts = Object.fromEntries(EVENT_NAMES.map((name) => [name, 0])) as Record<EventName, number>;
  let limitedLogins = 0;
  return {
    sink: {
      record({ name, details }) {
        counts[name]++;
        if (name === "rate_limit.exceeded" && details?.["login"] === true) limitedLogins++;
      },
    },
    families: [
      {
        name: "kyros_security_events_total",
        help: "Security events by name.",
        type: "counter",
        read: () => samplesOf("event", counts),
      },
      {
        name: "kyros_logins_total",
        help: "Sign-ins by name and password: succeeded, failed, or limited before the password was looked at.",
        type: "counter",
        read: () =>
          samplesOf("outcome", {
            succeeded: counts["auth.login.succeeded"],
            failed: counts["auth.login.failed"],
            limited: limitedLogins,
          }),
      },
    ],
  };
}
