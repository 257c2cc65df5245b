import { Outage } from "../../kernel/failure.ts";

/** A boolean as it is stored. */
export function toFlag(value: boolean): number {
  return value ? 1 : 0;
}

/** A stored boolean. */
export function fromFlag(value: number): boolean {
  return value !== 0;
}

/** A list of strings as it is stored: a JSON array. */
export function toJsonList(values: readonly string[]): string {
  return JSON.stringify(values);
}

/**
 * A stored list of strings, frozen. Throws `Outage` where the text is no such list: an empty list often means "no
 * restriction", so a damaged one must never be read as that.
 */
export function fromJsonList(text: string): readonly string[] {
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch (cause) {
    throw new Outage("database", { cause });
  }
  if (!Array.isArray(values) || !values.every((value) => typeof value === "string")) {
    throw new Outage("database", { cause: new TypeError("a stored list is not a JSON array of strings") });
  }
  return Object.freeze(values);
}
