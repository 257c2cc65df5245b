import type { Metric } from "prom-client";
import type { FamilyReading } from "./metric-family.ts";

/** Metrics as they are served. */
export interface Exposition {
  readonly contentType: string;
  /** The text of now. */
  text(): Promise<string>;
}

export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Readings in the text format of Prometheus (0.0.4). prom-client is loaded for the first scrape, as the start of the
 * service does not wait for it; a registry of it asks no more of a metric than its name and `get`.
 */
export async function expositionOf(readings: readonly FamilyReading[]): Promise<string> {
  const { Registry } = await import("prom-client");
  const registry = new Registry();
  for (const { name, help, type, samples } of readings) {
    const get = async () => ({ name, help, type, values: samples, aggregator: "sum" });
    registry.registerMetric({ name, help, type, get } as unknown as Metric);
  }
  return registry.metrics();
}

/** Makes one reading serve all who ask while it is made. */
export function shareText(read: () => Promise<string>): () => Promise<string> {
  let reading: Promise<string> | undefined;
  return () => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };
}
