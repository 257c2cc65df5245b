import type { Adjustments } from "../config/adjustable.ts";
import { ADJUSTABLE_NAMES, adjustSettings } from "../config/adjustable.ts";
import type { Settings } from "../config/settings.ts";
import type { Limit } from "../guards/limit-policy.ts";
import type { OverrideStore, Overrides } from "../identity/settings/override-store.ts";
import type { Awaitable } from "../kernel/awaitable.ts";
import { isPending } from "../kernel/awaitable.ts";
import { Outage } from "../kernel/failure.ts";
import type { LimitPolicy } from "../kernel/limiter.ts";
import type { PolicySource } from "../kernel/policy-source.ts";

/** The settings as they are now, and what is made of them once for every request until they change. */
export interface SettingsView {
  readonly settings: Settings;
  /** The overrides that hold. */
  readonly overrides: Overrides;
  readonly rateLimit: LimitPolicy | undefined;
  readonly loginRateLimit: LimitPolicy | undefined;
}

export interface LiveSettings {
  /** What the environment says. */
  readonly environment: Settings;
  /** The settings of now: at once where the database can tell so, and never an outage. */
  now(): Awaitable<SettingsView>;
  readonly rateLimit: PolicySource;
  readonly loginRateLimit: PolicySource;
}

export interface LiveSettingsParts {
  readonly environment: Settings;
  readonly store: OverrideStore;
  readonly onChange: (settings: Settings) => void;
  readonly onFailure: (error: unknown) => void;
}

/** A request waits this long for a database that is slow to tell the settings; then the last known ones hold (ms). */
const LONGEST_WAIT_MS = 250;
const NONE: Overrides = Object.freeze({});

/**
 * Settings that follow the database. While it is away the last known ones hold: a limit must neither vanish with the
 * database nor refuse everybody.
 */
export function createLiveSettings(parts: LiveSettingsParts): LiveSettings {
  const { environment, store, onChange, onFailure } = parts;
  let seen = NONE;
  let view = viewOf(environment, NONE, onFailure);
  let waiting: Promise<SettingsView> | undefined;

  function take(overrides: Overrides): SettingsView {
    if (overrides === seen) return view;
    // Read anew, they are another object; what is prepared for a policy shall last as long as the policy does.
    const isSame = JSON.stringify(overrides) === JSON.stringify(seen);
    seen = overrides;
    if (!isSame) {
      view = viewOf(environment, overrides, onFailure);
      onChange(view.settings);
    }
    return view;
  }

  function keep(error: unknown): SettingsView {
    if (!(error instanceof Outage)) onFailure(error);
    return view;
  }

  /** One question for all who ask meanwhile. */
  function wait(pending: Promise<Overrides>): Promise<SettingsView> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<SettingsView>((resolve) => {
      timer = setTimeout(() => resolve(view), LONGEST_WAIT_MS);
    });
    const found = pending.then(take).catch(keep);
    waiting = Promise.race([found, late]);
    void found.then(() => {
      clearTimeout(timer);
      waiting = undefined;
    });
    return waiting;
  }

  function now(): Awaitable<SettingsView> {
    if (waiting !== undefined) return waiting;
    try {
      const found = store.current();
      return isPending(found) ? wait(found) : take(found);
    } catch (error) {
      return keep(error);
    }
  }

  const policy = (name: "rateLimit" | "loginRateLimit"): PolicySource => {
    const of = (current: SettingsView) => current[name];
    return () => {
      const current = now();
      return isPending(current) ? current.then(of) : of(current);
    };
  };

  return { environment, now, rateLimit: policy("rateLimit"), loginRateLimit: policy("loginRateLimit") };
}

/** The settings with overrides. One that the start would refuse, set where it was allowed, does not hold, and is told. */
export function viewOf(
  environment: Settings,
  overrides: Overrides,
  onFailure: (error: unknown) => void,
): SettingsView {
  const names = ADJUSTABLE_NAMES.filter((name) => Object.hasOwn(overrides, name));
  const adjustments: Adjustments = Object.fromEntries(names.map((name) => [name, overrides[name]!.value]));
  const { settings, faults } = adjustSettings(environment, adjustments);
  for (const { name, message } of faults) {
    onFailure(new Error(`the setting ${name} in the database does not hold: it ${message}`));
  }
  const faulty = new Set(faults.map(({ name }) => name));
  return {
    settings,
    overrides: Object.fromEntries(
      names.filter((name) => !faulty.has(name)).map((name) => [name, overrides[name]!]),
    ),
    rateLimit: policyOf("default", settings.rateLimit),
    loginRateLimit: policyOf("login", settings.loginRateLimit),
  };
}

function policyOf(name: string, limit: Limit | "off"): LimitPolicy | undefined {
  return limit === "off" ? undefined : { name, ...limit };
}
