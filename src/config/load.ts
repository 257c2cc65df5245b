import { isWebhook } from "./audit-kinds.ts";
import { judgeSettings } from "./judge-settings.ts";
import { nearestName } from "./nearest-name.ts";
import type { DefaultContext, Setting } from "./schema.ts";
import { SCHEMA, SETTINGS } from "./schema.ts";
import { sealSettings } from "./seal-settings.ts";
import type { Variables } from "./setting-text.ts";
import { printable, settingText, textFault } from "./setting-text.ts";
import type { Settings } from "./settings.ts";
import type { SettingFault } from "./settings-fault.ts";
import { SettingsFault } from "./settings-fault.ts";

/**
 * The settings of the environment, held to the rules of production where they are production's or staging's. Throws
 * `SettingsFault` with everything that is wrong (ASVS V13.4.2, V16.5.3).
 */
export function loadSettings(variables: Variables = process.env): Settings {
  const { settings, faults } = read(variables);
  const all = [...faults, ...weaknesses(settings, faults)];
  if (all.length > 0) throw new SettingsFault(all);
  return settings;
}

/**
 * The settings of the environment as they are, weak ones too, for judging them with `judgeSettings`. Throws
 * `SettingsFault` where one cannot be read.
 */
export function readSettings(variables: Variables = process.env): Settings {
  const { settings, faults } = read(variables);
  if (faults.length > 0) throw new SettingsFault(faults);
  return settings;
}

/** Reads everything; in the place of what is faulty stands the default, so that the rest can be judged. */
function read(variables: Variables): { settings: Settings; faults: readonly SettingFault[] } {
  const faults: SettingFault[] = [];
  const values: Partial<Record<keyof Settings, unknown>> = {};
  for (const [name, setting] of SETTINGS) {
    const given = givenValue(setting, variables, faults);
    values[name] = given === undefined ? defaultValue(setting, values as DefaultContext) : given.value;
  }
  const settings = sealSettings(values as unknown as Settings);
  if (settings.secret !== undefined && settings.previousSecrets.includes(settings.secret)) {
    faults.push({
      variable: SCHEMA.previousSecrets.variable,
      fault: `repeats ${SCHEMA.secret.variable}`,
      allowed: "former secrets only",
    });
  }
  if (settings.auditSinks.some(isWebhook) && settings.auditWebhookSecret === undefined) {
    faults.push({
      variable: SCHEMA.auditWebhookSecret.variable,
      fault: `is not set, and ${SCHEMA.auditSinks.variable} names a webhook`,
      allowed: SCHEMA.auditWebhookSecret.kind.allowed,
    });
  }
  faults.push(...unknownNames(variables));
  return { settings, faults };
}

function givenValue(
  { variable, kind }: Setting<unknown>,
  variables: Variables,
  faults: SettingFault[],
): { readonly value: unknown } | undefined {
  const given = settingText(variable, variables);
  if (given.kind === "absent") return undefined;
  if (given.kind === "faulty") {
    faults.push(given.fault);
    return undefined;
  }
  const fault = textFault(given.text);
  const reading = fault === undefined ? kind.read(given.text) : { faults: [fault] };
  if ("value" in reading) return reading;
  const source = given.fromFile ? ` (read from ${variable}_FILE)` : "";
  faults.push(...reading.faults.map((text) => ({ variable, fault: text + source, allowed: kind.allowed })));
  return undefined;
}

function defaultValue(setting: Setting<unknown>, context: DefaultContext): unknown {
  if ("value" in setting.default) return setting.default.value;
  const reading = setting.kind.read(setting.default.text(context));
  if ("faults" in reading) throw new Error(`the default of ${setting.variable} ${reading.faults.join(", ")}`);
  return reading.value;
}

/** A misspelt name would leave a protection at its default, or off, without a word. */
function unknownNames(variables: Variables): readonly SettingFault[] {
  const known = SETTINGS.flatMap(([, { variable }]) => [variable, `${variable}_FILE`]);
  return Object.keys(variables)
    .filter((name) => /^kyros_/i.test(name) && variables[name] !== undefined && !known.includes(name))
    .map((name) => {
      const nearest = nearestName(name, known);
      return {
        variable: printable(name),
        fault: `is not a setting of Kyros${nearest === undefined ? "" : `: did you mean ${nearest}?`}`,
        allowed: nearest ?? "the settings in docs/settings.md",
      };
    });
}

/** What production and staging refuse; nothing where the environment is faulty, as it then counts as the default. */
function weaknesses(settings: Settings, faults: readonly SettingFault[]): readonly SettingFault[] {
  const faulty = new Set(faults.map(({ variable }) => variable.replace(/_FILE$/, "")));
  if (settings.environment === "development") return [];
  return judgeSettings(settings)
    .filter(({ verdict, variable }) => verdict === "error" && !faulty.has(variable))
    .map(({ id, variable, finding, remedy, acceptable }) => ({
      variable,
      fault: finding,
      allowed: acceptable
        ? `${remedy}; or, where it is wanted, ${id} in ${SCHEMA.allowInsecure.variable}`
        : remedy,
    }));
}
