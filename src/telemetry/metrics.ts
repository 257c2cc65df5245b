import type { Registry } from "prom-client";
import type { EventSink } from "../kernel/audit-event.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Observer } from "../kernel/observer.ts";
import { createEventCounts } from "./event-counts.ts";
import { createGuardDecisions } from "./guard-decisions.ts";
import type { MetricFamily } from "./metric-family.ts";
import { addFamily } from "./metric-family.ts";
import { createProcessMetrics } from "./process-metrics.ts";
import { createRequestDurations } from "./request-durations.ts";
import type { MetricSources } from "./source-families.ts";
import { sourceFamilies } from "./source-families.ts";

export interface MetricsOptions {
  /** The time of day, for when the process started. */
  readonly clock: Clock;
  /** A clock that is never set, for durations. */
  readonly steadyClock: Clock;
}

/** Everything that is counted, as Prometheus reads it. */
export interface Metrics {
  /** Counts requests and decisions; give it to the pipeline. */
  readonly observer: Observer;
  /** Counts security events; one sink of several. */
  readonly events: EventSink;
  readonly contentType: string;
  /** Adds what the parts of the service tell of themselves; each may be added once. */
  addSources(sources: MetricSources): void;
  /** The text of now (Prometheus text format 0.0.4). Scrapes at the same time share one reading. */
  text(): Promise<string>;
  stop(): void;
}

/** Counts in plain numbers while requests run, and puts them into words when somebody asks. */
export function createMetrics({ clock, steadyClock }: MetricsOptions): Metrics {
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
  let registry: Promise<Registry> | undefined;
  let reading: Promise<string> | undefined;

  /** prom-client is loaded for the first scrape: the start of the service does not wait for it. */
  async function openRegistry(): Promise<Registry> {
    const { Registry } = await import("prom-client");
    return new Registry();
  }

  async function read(): Promise<string> {
    registry ??= openRegistry();
    const opened = await registry;
    for (const family of families.splice(0)) addFamily(opened, family);
    return opened.metrics();
  }

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
    contentType: "text/plain; version=0.0.4; charset=utf-8",
    addSources(sources) {
      families.push(...sourceFamilies(sources));
    },
    text() {
      reading ??= read().finally(() => {
        reading = undefined;
      });
      return reading;
    },
    stop: processMetrics.stop,
  };
}
