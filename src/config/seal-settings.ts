import { describeSettings } from "./describe-settings.ts";
import type { Settings } from "./settings.ts";

/** Settings that nobody changes, and that come out as `describeSettings` has them where they are logged by mistake. */
export function sealSettings(settings: Settings): Settings {
  for (const value of Object.values(settings)) freezeDeeply(value);
  const described = { value: () => describeSettings(settings) };
  return Object.freeze(
    Object.defineProperties(settings, {
      toJSON: described,
      [Symbol.for("nodejs.util.inspect.custom")]: described,
    }),
  );
}

function freezeDeeply(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  Object.freeze(value);
  for (const member of Object.values(value)) freezeDeeply(member);
}
