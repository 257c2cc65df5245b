import type { AdjustableName } from "./adjustable.ts";
import { ADJUSTABLE } from "./adjustable.ts";
import type { Finding } from "./judge-settings.ts";
import { judgeSettings } from "./judge-settings.ts";
import { SCHEMA } from "./schema.ts";
import type { Settings } from "./settings.ts";

/** A finding, and whether it is about the environment's value or about one that holds in its place. */
export interface SourcedFinding extends Finding {
  readonly source: "environment" | "database";
}

const BADNESS = ["ok", "accepted", "warning", "error"] as const satisfies readonly Finding["verdict"][];

/**
 * Puts every check to the settings as overrides make them, and to those of the environment, to which the next start is
 * held whatever is overridden: of the two answers the worse one.
 */
export function judgeOverridden(
  environment: Settings,
  now: Settings,
  overridden: readonly AdjustableName[],
): readonly SourcedFinding[] {
  const variables = overridden.map((name): string => SCHEMA[ADJUSTABLE[name]].variable);
  const ofEnvironment = judgeSettings(environment);
  return judgeSettings(now).map((finding, at) => {
    const other = ofEnvironment[at]!;
    if (badnessOf(other) > badnessOf(finding)) return { ...other, source: "environment" };
    return { ...finding, source: variables.includes(finding.variable) ? "database" : "environment" };
  });
}

function badnessOf({ verdict }: Finding): number {
  return BADNESS.indexOf(verdict);
}
