import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadSettings } from "../../src/config/load.ts";
import { SETTINGS } from "../../src/config/schema.ts";
import { faulty } from "./environments.ts";
import { VARIABLE_CASES } from "./variable-cases.ts";

/** No setting takes these, whatever its kind. */
const REFUSED_EVERYWHERE = [
  "",
  " ",
  "\n",
  " on",
  "on ",
  "on\n",
  "o\u0000n",
  "o\nn",
  "\u0007",
  "\ud800",
  "\ufeff",
];

for (const { name, variable, accepted, refused } of VARIABLE_CASES) {
  describe(variable, () => {
    for (const [text, value] of accepted) {
      test(`takes ${JSON.stringify(text).slice(0, 60)}`, () => {
        assert.deepEqual(loadSettings({ [variable]: text })[name], value);
      });
    }
    for (const text of [...refused, ...REFUSED_EVERYWHERE]) {
      test(`refuses ${JSON.stringify(text).slice(0, 60)}`, () => {
        assert.deepEqual([...new Set(faulty({ [variable]: text }))], [variable]);
      });
    }
  });
}

test("every setting has its cases here, or with the secrets", () => {
  const secrets = SETTINGS.filter(([, { secret }]) => secret).map(([, { variable }]) => variable);
  assert.deepEqual(
    [...VARIABLE_CASES.map(({ variable }) => variable), ...secrets].sort(),
    SETTINGS.map(([, { variable }]) => variable).sort(),
  );
});
