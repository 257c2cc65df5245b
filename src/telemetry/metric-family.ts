import type { Awaitable } from "../kernel/awaitable.ts";

/** One number of a family, under the labels that tell it from the others. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
  /** The whole name where it is not the family's: the `_bucket`, `_sum` and `_count` of a histogram. */
  readonly metricName?: string;
}

/** What a family is, beside its values. */
interface FamilyHead {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  /**
   * What several threads of one process tell together: the `sum` (unless told), the `greatest`, each for itself
   * (`thread`), or what any of them tells of the whole `process`.
   */
  readonly across?: "sum" | "greatest" | "thread" | "process";
}

/** A metric that keeps nothing: what it tells is read at each scrape from whoever has counted it in plain numbers. */
export interface MetricFamily extends FamilyHead {
  /** The values of now. Labels take values of a fixed, short list: never a path, a name or an address. */
  read(): Awaitable<readonly Sample[]>;
}

/** A family with its values of one instant: plain data, to be handed from thread to thread. */
export interface FamilyReading extends FamilyHead {
  readonly samples: readonly Sample[];
}

/** Reads families, all at once. */
export function readFamilies(families: readonly MetricFamily[]): Promise<readonly FamilyReading[]> {
  return Promise.all(families.map(async ({ read, ...head }) => ({ ...head, samples: await read() })));
}

/** The samples of a table from label value to number. */
export function samplesOf(label: string, values: Readonly<Record<string, number>>): readonly Sample[] {
  return Object.entries(values).map(([key, value]) => ({ labels: { [label]: key }, value }));
}
