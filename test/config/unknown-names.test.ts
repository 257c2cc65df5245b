import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { loadSettings } from "../../src/config/load.ts";
import { SETTINGS } from "../../src/config/schema.ts";
import { faultsOf } from "./environments.ts";

for (const [typed, meant] of [
  ["KYROS_CSFR", "KYROS_CSRF"],
  ["KYROS_FORCE_HTTP", "KYROS_FORCE_HTTPS"],
  ["KYROS_FORCEHTTPS", "KYROS_FORCE_HTTPS"],
  ["KYROS_LOGIN_RATELIMIT", "KYROS_LOGIN_RATE_LIMIT"],
  ["KYROS_TRUSTED_PROXY", "KYROS_TRUST_PROXY"],
  ["KYROS_SECRET_FILES", "KYROS_SECRET_FILE"],
  ["KYROS_SECRT_FILE", "KYROS_SECRET_FILE"],
  ["kyros_csrf", "KYROS_CSRF"],
  ["Kyros_Secret", "KYROS_SECRET"],
  ["KYROS_DATABASE_URL", "DATABASE_URL"],
  ["KYROS_ENVS", "KYROS_ENV"],
] as const) {
  test(`${typed} is a fault that suggests ${meant}`, () => {
    const [fault, ...others] = faultsOf({ [typed]: "off" });
    assert.equal(others.length, 0);
    assert.deepEqual(fault, {
      variable: typed,
      fault: `is not a setting of Kyros: did you mean ${meant}?`,
      allowed: meant,
    });
  });
}

test("a name that is like none is a fault without a suggestion", () => {
  for (const name of [
    "KYROS_",
    "KYROS_PAYMENT_PROVIDER_ENDPOINT",
    "KYROS_XYZ",
    "KYROS_SECRET_FILE_FILE",
    "KYROS___PROTO__",
    "KYROS_\u0000\n",
  ]) {
    const [fault] = faultsOf({ [name]: "" });
    assert.equal(fault?.fault, "is not a setting of Kyros");
    assert.equal(fault?.allowed, "the settings in docs/settings.md");
    assert.match(fault?.variable ?? "", /^[\x20-\x7e]+$/);
  }
});

test("what belongs to others, or is not set, is left alone", () => {
  const foreign = {
    PATH: "/bin",
    NODE_ENV: "production",
    KYROSX: "1",
    MY_KYROS_CSRF: "off",
    KYROS_CSFR: undefined,
  };
  assert.equal(loadSettings(foreign).csrf, true);
});

test("whatever one slip of the keyboard makes of a name, it is not overlooked", () => {
  const names = SETTINGS.map(([, { variable }]) => variable).filter((name) => name.startsWith("KYROS_"));
  const known = new Set(names.flatMap((name) => [name, `${name}_FILE`]));
  fc.assert(
    fc.property(
      fc.constantFrom(...known),
      fc.nat(),
      fc.constantFrom("drop", "double", "swap"),
      (name, where, slip) => {
        const at = "KYROS_".length + (where % (name.length - "KYROS_".length - 1));
        const [a, b] = [name[at]!, name[at + 1]!];
        const middle = { drop: b, double: a + a + b, swap: b + a }[slip];
        const typed = name.slice(0, at) + middle + name.slice(at + 2);
        fc.pre(!known.has(typed));
        const [fault] = faultsOf({ [typed]: "off" });
        assert.equal(fault?.variable, typed);
        assert.ok(known.has(fault?.allowed ?? ""), `${typed} suggests something`);
      },
    ),
  );
});
