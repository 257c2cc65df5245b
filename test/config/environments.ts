import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { loadSettings } from "../../src/config/load.ts";
import type { SettingFault } from "../../src/config/settings-fault.ts";
import { SettingsFault } from "../../src/config/settings-fault.ts";
import { randomToken, systemRandom } from "../../src/kernel/random.ts";

export type Variables = Readonly<Record<string, string | undefined>>;

export function freshSecret(): string {
  return randomToken(systemRandom, 64);
}

/** A production that starts. */
export function production(more: Variables = {}): Variables {
  return { KYROS_ENV: "production", KYROS_SECRET: freshSecret(), ...more };
}

/** The one fault object of a throwing call, whatever else it is checked for. */
export function faultOf(action: () => unknown): SettingsFault {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof SettingsFault, `a SettingsFault is thrown, not ${String(error)}`);
    return error;
  }
  assert.fail("a fault was expected");
}

export function faultsOf(variables: Variables): readonly SettingFault[] {
  return faultOf(() => loadSettings(variables)).faults;
}

/** The variables that are faulty, in order. */
export function faulty(variables: Variables): readonly string[] {
  return faultsOf(variables).map(({ variable }) => variable);
}

/** A directory of the test's own, removed after it. */
export function temporaryDirectory(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "kyros-config-"));
  context.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
