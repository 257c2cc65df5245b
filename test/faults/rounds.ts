/**
 * How often what is done at random moments is done: a hundred times for `docs/promises.md`, and fewer in every other
 * run, since each time waits for a process to start.
 */
export const FAULT_ROUNDS = Number(process.env["KYROS_FAULT_ROUNDS"] ?? 5);
