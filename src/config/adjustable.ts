import type { Limit } from "../guards/limit-policy.ts";
import { judgeSettings } from "./judge-settings.ts";
import { SCHEMA } from "./schema.ts";
import { sealSettings } from "./seal-settings.ts";
import { textFault } from "./setting-text.ts";
import type { Settings } from "./settings.ts";

/**
 * The settings that may be changed while the service runs, by their public names: those that take effect at the next
 * request, undo no protection for good and concern no secret.
 */
export const ADJUSTABLE = {
  rate_limit: "rateLimit",
  login_rate_limit: "loginRateLimit",
  registration: "registration",
  log_level: "logLevel",
} as const satisfies Readonly<Record<string, keyof Settings>>;
export type AdjustableName = keyof typeof ADJUSTABLE;
export const ADJUSTABLE_NAMES = Object.keys(ADJUSTABLE) as readonly AdjustableName[];

/** Values in the notation of the settings. */
export type Adjustments = Readonly<Partial<Record<AdjustableName, string>>>;

export interface AdjustmentFault {
  readonly name: AdjustableName;
  /** The rest of a sentence that begins with the name. */
  readonly message: string;
}

/** A limit that gives back less than one request in this time might keep out whoever wants to change it again (ms). */
const LONGEST_WAIT_MS = 900_000;

/**
 * The settings with some of them adjusted, held to what the environment is held to: the same notation, and in
 * production and staging the same checks. What is faulty is left as it was.
 */
export function adjustSettings(
  environment: Settings,
  adjustments: Adjustments,
): { readonly settings: Settings; readonly faults: readonly AdjustmentFault[] } {
  const faults: AdjustmentFault[] = [];
  let settings = environment;
  for (const name of ADJUSTABLE_NAMES) {
    const text = adjustments[name];
    if (text === undefined) continue;
    const adjusted = adjustOne(settings, name, text);
    if (typeof adjusted === "string") faults.push({ name, message: adjusted });
    else settings = adjusted;
  }
  return { settings, faults };
}

/** A setting's value in its own notation. */
export function adjustableText(settings: Settings, name: AdjustableName): string {
  const key = ADJUSTABLE[name];
  return String(SCHEMA[key].kind.show(settings[key] as never));
}

function adjustOne(settings: Settings, name: AdjustableName, text: string): Settings | string {
  const key = ADJUSTABLE[name];
  const { kind } = SCHEMA[key];
  const malformed = textFault(text);
  const reading = malformed === undefined ? kind.read(text) : { faults: [malformed] };
  if ("faults" in reading) return `${reading.faults.join(", ")}; allowed: ${kind.allowed}`;
  if (isLockout(reading.value)) return "gives back less than one request in 15 minutes: nobody could undo it";
  const adjusted = sealSettings({ ...settings, [key]: reading.value });
  return newWeakness(settings, adjusted) ?? adjusted;
}

function isLockout(value: Limit | string | boolean): boolean {
  return typeof value === "object" && value.windowMs / value.limit > LONGEST_WAIT_MS;
}

/** What the start would refuse of the adjusted settings and does not refuse of those before. */
function newWeakness(before: Settings, adjusted: Settings): string | undefined {
  if (adjusted.environment === "development") return undefined;
  const known = new Set(errorsOf(before).map(({ id }) => id));
  const found = errorsOf(adjusted).find(({ id }) => !known.has(id));
  return found && `${found.finding}; allowed: ${found.remedy}`;
}

function errorsOf(settings: Settings) {
  return judgeSettings(settings).filter(({ verdict }) => verdict === "error");
}
