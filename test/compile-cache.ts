import { join } from "node:path";

/**
 * For the environment of processes that tests start: what was compiled once is kept for the next, from the first file
 * on. `kyros` keeps its own, from its second file on.
 */
export const COMPILE_CACHE = {
  NODE_COMPILE_CACHE: join(import.meta.dirname, "../node_modules/.cache/tests"),
} as const;
