import type { AdjustableName, Adjustments } from "../config/adjustable.ts";
import { ADJUSTABLE_NAMES, adjustableText, adjustSettings } from "../config/adjustable.ts";
import type { Settings } from "../config/settings.ts";
import type { Override, OverrideStore, Overrides } from "../identity/settings/override-store.ts";
import type { Act, EventSink } from "../kernel/audit-event.ts";
import { Refusal } from "../kernel/failure.ts";
import { problem } from "../kernel/problem.ts";

/** New values by name; `null` goes back to the environment's. */
export type SettingsChange = Readonly<Partial<Record<AdjustableName, string | null>>>;

export interface ChangeSettingsParts {
  readonly environment: Settings;
  readonly store: OverrideStore;
  readonly events: EventSink;
}

/**
 * Changes settings for all instances in one step, and records each one that changed. Refuses the whole change
 * (`validation_failed`) where a value is one that the start would refuse.
 */
export async function changeSettings(
  { environment, store, events }: ChangeSettingsParts,
  change: SettingsChange,
  act: Act,
): Promise<void> {
  events.assertWritable?.();
  const wanted = canonicalValues(environment, change);
  const changedBy = "id" in act.actor ? act.actor.id : null;
  const { before, after } = await store.change((current) => {
    const next: Record<string, Override> = { ...current };
    for (const name of Object.keys(change) as AdjustableName[]) {
      const value = wanted[name];
      if (value === undefined) delete next[name];
      else if (current[name]?.value !== value) next[name] = { value, changedAtMs: act.atMs, changedBy };
    }
    return next;
  });
  for (const name of ADJUSTABLE_NAMES) {
    if (before[name]?.value === after[name]?.value) continue;
    await events.record({
      ...act,
      name: "settings.changed",
      outcome: "success",
      subject: name,
      details: {
        old: shownValue(environment, before, name),
        new: shownValue(environment, after, name),
        source: after[name] === undefined ? "environment" : "database",
      },
    });
  }
}

function canonicalValues(environment: Settings, change: SettingsChange): Adjustments {
  const given = Object.entries(change).filter(([, value]) => value !== null);
  const { settings, faults } = adjustSettings(environment, Object.fromEntries(given) as Adjustments);
  if (faults.length > 0) {
    const errors = faults.map(({ name, message }) => ({ field: name, message }));
    const detail = faults.map(({ name, message }) => `${name} ${message}.`).join(" ");
    throw new Refusal(problem("validation_failed", detail, { errors }));
  }
  return Object.fromEntries(
    given.map(([name]) => [name, adjustableText(settings, name as AdjustableName)]),
  ) as Adjustments;
}

function shownValue(environment: Settings, overrides: Overrides, name: AdjustableName): string {
  return overrides[name]?.value ?? adjustableText(environment, name);
}
