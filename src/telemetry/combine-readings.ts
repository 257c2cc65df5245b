import type { FamilyReading, Sample } from "./metric-family.ts";

/** What one thread of the process told. */
export interface ThreadReadings {
  /** The value of the label `thread` on what is no sum. */
  readonly thread: string;
  readonly readings: readonly FamilyReading[];
}

/** What several threads tell as one process: sums where these mean something, and each thread's own where not. */
export function combineReadings(threads: readonly ThreadReadings[]): readonly FamilyReading[] {
  const families = new Map<string, FamilyReading & { readonly samples: Sample[] }>();
  const places = new Map<string, number>();

  function add(samples: Sample[], name: string, sample: Sample, across: FamilyReading["across"]): void {
    const key = JSON.stringify([name, sample.metricName, Object.entries(sample.labels ?? {}).sort()]);
    const place = places.get(key);
    if (place === undefined) {
      places.set(key, samples.length);
      samples.push(sample);
      return;
    }
    const known = samples[place]!;
    const value = across === "greatest" ? Math.max(known.value, sample.value) : known.value + sample.value;
    samples[place] = { ...known, value };
  }

  for (const { thread, readings } of threads) {
    for (const { samples, ...head } of readings) {
      const { name, across } = head;
      const family = families.get(name);
      if (across === "process" && family !== undefined) continue;
      const combined = family ?? { ...head, samples: [] };
      families.set(name, combined);
      for (const sample of samples) {
        const own = across === "thread" ? { ...sample, labels: { ...sample.labels, thread } } : sample;
        add(combined.samples, name, own, across);
      }
    }
  }
  return [...families.values()];
}

/** What only ever grows: it stays true when its thread is gone, and a sum without it would seem to have gone back. */
export function countersOf(readings: readonly FamilyReading[]): readonly FamilyReading[] {
  return readings.filter(({ type, across }) => type !== "gauge" && across !== "process");
}
