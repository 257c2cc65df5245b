import type { EventSink } from "../kernel/audit-event.ts";
import type { Clock } from "../kernel/clock.ts";
import { steadyClock as defaultSteadyClock, systemClock } from "../kernel/clock.ts";
import type { Observer } from "../kernel/observer.ts";
import { createEventCounts } from "./event-counts.ts";
import type { Exposition } from "./exposition.ts";
import { EXPOSITION_TYPE, expositionOf, shareText } from "./exposition.ts";
import { createGuardDecisions } from "./guard-decisions.ts";
import type { FamilyReading, MetricFamily } from "./metric-family.ts";
import { readFamilies } from "./metric-family.ts";
import { createProcessMetrics } from "./process-metrics.ts";
import { createRequestDurations } from "./request-durations.ts";
import type { MetricSources } from "./source-families.ts";
import { sourceFamilies } from "./source-families.ts";

/** The clocks of the system unless told. */
export interface MetricsOptions {
  /** The time of day, for when the process started. */
  readonly clock?: Clock;
  /** A clock that is never set, for durations. */
  readonly steadyClock?: Clock;
}

/** Everything that is counted, as Prometheus reads it. */
export interface Metrics extends Exposition {
  /** Counts requests and decisions; give it to the pipeline. */
  readonly observer: Observer;
  /** Counts security events; one sink of several. */
  readonly events: EventSink;
  /** Adds what the parts of the service tell of themselves; each may be added once. */
  addSources(sources: MetricSources): void;
  /** The values of now as data. Scrapes of the text at the same time share one reading. */
  read(): Promise<readonly FamilyReading[]>;
  stop(): void;
}

/** Counts in plain numbers while requests run, and puts them into words when somebody asks. */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  const { clock = systemClock, steadyClock = defaultSteadyClock } = options;
  const decisions = createGuardDecisions();
  const durations = createRequestDurations();
  const events = createEventCounts();
  const processMetrics = createProcessMetrics(clock.now() - process.uptime() * 1000);
  const families: MetricFamily[] = [
    decisions.family,
    durations.family,
    ...events.families,
    ...processMetrics.families,
  ];
  const read = () => readFamilies(families);

  return {
    observer: {
      attached: decisions.attached,
      opened(exchange) {
        exchange.openedAtMs = steadyClock.now();
      },
      decided(_exchange, at, decision) {
        decisions.decided(at, decision);
      },
      failed(_exchange, at) {
        decisions.failed(at);
      },
      answered({ view, route, openedAtMs }, status) {
        durations.took(view.method, route, status, steadyClock.now() - openedAtMs);
      },
    },
    events: events.sink,
    contentType: EXPOSITION_TYPE,
    addSources(sources) {
      families.push(...sourceFamilies(sources));
    },
    read,
    text: shareText(async () => expositionOf(await read())),
    stop: processMetrics.stop,
  };
}
