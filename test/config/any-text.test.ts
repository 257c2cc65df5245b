import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { describeSettings } from "../../src/config/describe-settings.ts";
import { loadSettings } from "../../src/config/load.ts";
import { SETTINGS } from "../../src/config/schema.ts";
import { SettingsFault } from "../../src/config/settings-fault.ts";

const VARIABLES = SETTINGS.flatMap(([, { variable }]) => [variable, `${variable}_FILE`]);

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
  fc.webUrl(),
  fc.ipV4(),
  fc.ipV6().map((address) => `${address}/0`),
  fc.stringMatching(/^(?:sqlite|postgres|redis|https?|)[:/@#?,.a-z0-9%[\]-]{0,40}$/),
  fc.stringMatching(/^[0-9]{1,12}(?:[smhd]|\/[0-9]{1,12}[smhd])?$/),
  fc.constantFrom(
    "production",
    "staging",
    "on",
    "off",
    "__proto__",
    "constructor",
    "/dev/zero",
    "/",
    "~",
    "//",
  ),
);

const anyEnvironment = fc.dictionary(
  fc.oneof({ arbitrary: fc.constantFrom(...VARIABLES), weight: 9 }, { arbitrary: anyText, weight: 1 }),
  fc.option(anyText, { nil: undefined }),
  { maxKeys: 12 },
);

test("whatever the environment holds, the settings are valid and describable or a SettingsFault says why not", () => {
  fc.assert(
    fc.property(anyEnvironment, (variables) => {
      try {
        const settings = loadSettings(variables);
        assert.equal(JSON.stringify(settings), JSON.stringify(describeSettings(settings)));
        assert.ok(settings.environment === "development" || settings.secret !== undefined);
      } catch (error) {
        assert.ok(error instanceof SettingsFault, inspect(error));
        assert.ok(error.faults.length > 0);
        assert.match(error.message, /^[\x20-\x7e…]+(?:\n {2}[\x20-\x7e…]+)+$/);
      }
    }),
    { numRuns: 2000 },
  );
});

test("one variable with any text is taken or refused, and what is taken is shown as it can be given again", () => {
  fc.assert(
    fc.property(fc.constantFrom(...SETTINGS), anyText, ([name, { variable, secret }], text) => {
      let settings: ReturnType<typeof loadSettings>;
      try {
        settings = loadSettings({ [variable]: text });
      } catch (error) {
        assert.ok(error instanceof SettingsFault, inspect(error));
        return;
      }
      if (secret) return;
      const shown = describeSettings(settings)[variable];
      const again = loadSettings({ [variable]: Array.isArray(shown) ? shown.join(",") : String(shown) });
      assert.deepEqual(again[name], settings[name]);
    }),
    { numRuns: 3000 },
  );
});
