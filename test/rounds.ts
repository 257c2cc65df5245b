/**
 * How often a test that kills processes does so: `full` times where `KYROS_FAULT_ROUNDS=full`, as for the record in
 * docs/promises.md, and a fifth of that in every other run, since each round waits for a process to start.
 */
export function rounds(full: number): number {
  return process.env["KYROS_FAULT_ROUNDS"] === "full" ? full : Math.ceil(full / 5);
}
