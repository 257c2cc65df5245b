import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Adjustments } from "../../src/config/adjustable.ts";
import { ADJUSTABLE, adjustableText, adjustSettings } from "../../src/config/adjustable.ts";
import { loadSettings } from "../../src/config/load.ts";
import { SCHEMA } from "../../src/config/schema.ts";
import { production } from "./environments.ts";

const PRODUCTION = production();
const development = loadSettings({});
const inProduction = loadSettings(PRODUCTION);

describe("adjusted settings", () => {
  it("are named as their variables", () => {
    for (const [name, key] of Object.entries(ADJUSTABLE)) {
      assert.equal(SCHEMA[key].variable, `KYROS_${name.toUpperCase()}`);
    }
  });

  it("take what the environment takes, and leave the rest as it was", () => {
    const { settings, faults } = adjustSettings(development, {
      rate_limit: "60/60s",
      registration: "on",
      log_level: "debug",
    });
    assert.deepEqual(faults, []);
    assert.deepEqual(settings.rateLimit, { limit: 60, windowMs: 60_000 });
    assert.equal(adjustableText(settings, "rate_limit"), "60/1m");
    assert.equal(adjustableText(settings, "registration"), "on");
    assert.equal(settings.logLevel, "debug");
    assert.equal(settings.loginRateLimit, development.loginRateLimit);
    assert.ok(Object.isFrozen(settings) && Object.isFrozen(settings.rateLimit));
    const logged = JSON.stringify(adjustSettings(inProduction, { registration: "on" }));
    assert.ok(!logged.includes(inProduction.secret!));
  });

  const REFUSED: readonly (readonly [Adjustments, RegExp])[] = [
    [{ rate_limit: "" }, /is empty/],
    [{ rate_limit: "0/1m" }, /neither a limit nor `off`/],
    [{ rate_limit: "fast" }, /allowed: requests per duration/],
    [{ rate_limit: "1/366d" }, /nobody could undo it/],
    [{ login_rate_limit: "3/1h" }, /nobody could undo it/],
    [{ registration: "true" }, /neither `on` nor `off`/],
    [{ log_level: "INFO" }, /not a word that is known/],
    [{ log_level: "info\n" }, /white space or a line break/],
  ];
  for (const [adjustments, message] of REFUSED) {
    it(`refuse ${JSON.stringify(adjustments)}`, () => {
      const { settings, faults } = adjustSettings(development, adjustments);
      assert.deepEqual(
        faults.map(({ name }) => name),
        Object.keys(adjustments),
      );
      assert.match(faults[0]!.message, message);
      assert.deepEqual(settings, development);
    });
  }

  it("refuse in production what production refuses at its start, and take it where it is marked as wanted", () => {
    const weak = { rate_limit: "off", login_rate_limit: "1000000/1m" };
    assert.deepEqual(adjustSettings(development, weak).faults, []);
    const { settings, faults } = adjustSettings(inProduction, { ...weak, registration: "on" });
    assert.deepEqual(
      faults.map(({ name }) => name),
      ["rate_limit", "login_rate_limit"],
    );
    assert.deepEqual(settings.rateLimit, inProduction.rateLimit);
    assert.deepEqual(settings.loginRateLimit, inProduction.loginRateLimit);
    assert.equal(settings.registration, true);

    const marked = loadSettings({ ...PRODUCTION, KYROS_ALLOW_INSECURE: "rate-limit-off" });
    assert.deepEqual(
      adjustSettings(marked, weak).faults.map(({ name }) => name),
      ["login_rate_limit"],
    );
  });
});
