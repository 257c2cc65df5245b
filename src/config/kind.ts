/** What reading a text gives: the value, or everything that is wrong with the text. */
export type Reading<T> = { readonly value: T } | { readonly faults: readonly string[] };

/** A value in the notation of the settings, for people and for JSON. */
export type Shown = string | number | null | readonly string[];

/** A kind of value: how it is written, read and shown. */
export interface Kind<T> {
  /** What may be written. */
  readonly allowed: string;
  /** Reads a text that is not empty. A fault is the rest of a sentence, and never repeats the text. */
  read(text: string): Reading<T>;
  /** The value in words, with nothing secret in it. */
  show(value: T): Shown;
}

export function valid<T>(value: T): Reading<T> {
  return { value };
}

export function invalid<T>(...faults: readonly string[]): Reading<T> {
  return { faults };
}

/**
 * Several of a kind, comma-separated; white space around a comma is for the reader. Every wrong entry is a fault of its
 * own, known by its place.
 */
export function listOf<T>(entry: Kind<T>, uniqueBy?: (value: T) => readonly string[]): Kind<readonly T[]> {
  return {
    allowed: `comma-separated: ${entry.allowed}`,
    read(text) {
      const values: T[] = [];
      const faults: string[] = [];
      const taken = new Set<string>();
      for (const [index, part] of text.split(",").entries()) {
        const place = `in entry ${index + 1}`;
        const reading = part.trim() === "" ? invalid<T>("is empty") : entry.read(part.trim());
        if ("faults" in reading) {
          faults.push(...reading.faults.map((fault) => `${place} ${fault}`));
          continue;
        }
        const marks = uniqueBy?.(reading.value) ?? [];
        if (marks.some((mark) => taken.has(mark))) faults.push(`${place} repeats an earlier entry`);
        for (const mark of marks) taken.add(mark);
        values.push(reading.value);
      }
      return faults.length > 0 ? { faults } : valid(values);
    },
    show: (values) => values.map((value) => String(entry.show(value))),
  };
}
