import { monitorEventLoopDelay } from "node:perf_hooks";
import type { MetricFamily } from "./metric-family.ts";

/** How the process does, under the names that Prometheus clients share, so that any Node.js dashboard reads them. */
export interface ProcessMetrics {
  readonly families: readonly MetricFamily[];
  stop(): void;
}

/** The event loop is looked at this often (ms). */
const RESOLUTION_MS = 20;
const NS_PER_SECOND = 1e9;

export function createProcessMetrics(startedAtMs: number): ProcessMetrics {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  /** A timer is late by what the loop lagged: its period is not lag. */
  const lagSeconds = (ns: number) => Math.max(0, ns / NS_PER_SECOND - RESOLUTION_MS / 1000) || 0;
  const one = (name: string, type: "gauge" | "counter", help: string, value: () => number): MetricFamily => ({
    name,
    help,
    type,
    // Each thread has an event loop and a heap of its own.
    across: name.startsWith("process_") ? "process" : "thread",
    read: () => [{ value: value() }],
  });
  const gauge = (name: string, help: string, value: () => number) => one(name, "gauge", help, value);

  return {
    families: [
      gauge(
        "nodejs_eventloop_lag_p99_seconds",
        "Lag of the event loop since the last scrape, 99 of 100.",
        () => lagSeconds(delay.percentile(99)),
      ),
      gauge(
        "nodejs_eventloop_lag_max_seconds",
        "The longest lag of the event loop since the last scrape.",
        () => {
          const max = lagSeconds(delay.max);
          delay.reset();
          return max;
        },
      ),
      gauge(
        "nodejs_heap_size_used_bytes",
        "Memory of the JavaScript heap in use.",
        () => process.memoryUsage().heapUsed,
      ),
      gauge(
        "nodejs_heap_size_total_bytes",
        "Memory of the JavaScript heap.",
        () => process.memoryUsage().heapTotal,
      ),
      gauge("process_resident_memory_bytes", "Memory of the process.", () => process.memoryUsage.rss()),
      gauge(
        "process_start_time_seconds",
        "When the process started, since the Unix epoch.",
        () => startedAtMs / 1000,
      ),
      one("process_cpu_seconds_total", "counter", "Processor time used.", () => {
        const { user, system } = process.cpuUsage();
        return (user + system) / 1e6;
      }),
    ],
    stop: () => void delay.disable(),
  };
}
