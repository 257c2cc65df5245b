/** `KYROS_FAULT_ROUNDS=full`: for the record in docs/promises.md. */
export const FOR_THE_RECORD = process.env["KYROS_FAULT_ROUNDS"] === "full";

/**
 * How often a test that kills processes does so: `full` times for the record, and a fifth of that (or `otherwise`) in
 * every other run, since each round waits for a process to start.
 */
export function rounds(full: number, otherwise = Math.ceil(full / 5)): number {
  return FOR_THE_RECORD ? full : otherwise;
}
