import type { Metric, Registry } from "prom-client";
import type { Awaitable } from "../kernel/awaitable.ts";

/** One number of a family, under the labels that tell it from the others. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
  /** The whole name where it is not the family's: the `_bucket`, `_sum` and `_count` of a histogram. */
  readonly metricName?: string;
}

/** A metric that keeps nothing: what it tells is read at each scrape from whoever has counted it in plain numbers. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** The values of now. Labels take values of a fixed, short list: never a path, a name or an address. */
  read(): Awaitable<readonly Sample[]>;
}

/**
 * Adds a family to a registry. prom-client's own counters cost each request a lookup of their labels; a registry asks
 * no more of a metric than its name and `get`.
 */
export function addFamily(registry: Registry, { name, help, type, read }: MetricFamily): void {
  const get = async () => ({ name, help, type, values: await read(), aggregator: "sum" });
  registry.registerMetric({ name, help, type, get } as unknown as Metric);
}

/** The samples of a table from label value to number. */
export function samplesOf(label: string, values: Readonly<Record<string, number>>): readonly Sample[] {
  return Object.entries(values).map(([key, value]) => ({ labels: { [label]: key }, value }));
}
