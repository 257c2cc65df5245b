import type { OverrideStore, Overrides } from "../../identity/settings/override-store.ts";

/** Overrides of settings in memory: gone with the process. */
export function createMemoryOverrideStore(): OverrideStore {
  let current: Overrides = Object.freeze({});
  return {
    current: () => current,
    async change(next) {
      const before = current;
      current = Object.freeze({ ...next(before) });
      return { before, after: current };
    },
  };
}
