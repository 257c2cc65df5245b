/** `KYROS_FAULT_ROUNDS=full`: for the record in docs/promises.md. */
export const FOR_THE_RECORD = process.env["KYROS_FAULT_ROUNDS"] === "full";

/**
 * How often a test does what takes long, like killing a process and waiting for the next to start: `full` times for the
 * record, and a fifth of that (or `otherwise`) in every other run.
 */
export function rounds(full: number, otherwise = Math.ceil(full / 5)): number {
  return FOR_THE_RECORD ? full : otherwise;
}
