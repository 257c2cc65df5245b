import type { Shown } from "./kind.ts";
import { SETTINGS } from "./schema.ts";
import type { Settings } from "./settings.ts";

/**
 * The configuration without its secrets, as plain JSON by the names of the variables: of a secret only whether it is
 * set, of a URL everything but its credentials (ASVS V14.2.6).
 */
export function describeSettings(settings: Settings): Readonly<Record<string, Shown>> {
  return Object.fromEntries(
    SETTINGS.map(([name, { variable, kind, secret }]) => {
      const value: unknown = settings[name];
      const given = value !== undefined && !(Array.isArray(value) && value.length === 0);
      if (secret) return [variable, given ? "set" : "not set"];
      return [variable, value === undefined ? null : kind.show(value as NonNullable<unknown>)];
    }),
  );
}
