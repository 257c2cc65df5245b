import assert from "node:assert/strict";
import { test } from "node:test";
import { loadSettings } from "../../src/config/load.ts";
import { SETTINGS } from "../../src/config/schema.ts";
import { faultOf, faultsOf } from "./environments.ts";

test("all faults come at once, each with its variable, what is wrong and what is allowed", () => {
  const faults = faultsOf({
    KYROS_ENV: "prod",
    KYROS_PORT: "70000",
    KYROS_CSRF: "no",
    KYROS_CORS_ORIGINS: "https://a.example/,https://b.example,*",
    KYROS_CSFR: "off",
  });
  assert.deepEqual(faults, [
    {
      variable: "KYROS_ENV",
      fault: "is not a word that is known here",
      allowed: "`production`, `staging`, `development`",
    },
    {
      variable: "KYROS_PORT",
      fault: "is out of range",
      allowed: "a whole number from 0 to 65535, 0 taking a free one",
    },
    { variable: "KYROS_CSRF", fault: "is neither `on` nor `off`", allowed: "`on` or `off`" },
    {
      variable: "KYROS_CORS_ORIGINS",
      fault:
        "in entry 1 is not an exact origin: scheme and host in lower case, no path, pattern or default port",
      allowed: "comma-separated: origins as a browser sends them, like `https://app.example.com`",
    },
    {
      variable: "KYROS_CORS_ORIGINS",
      fault: "in entry 3 is `*`, which cannot go together with credentials",
      allowed: "comma-separated: origins as a browser sends them, like `https://app.example.com`",
    },
    {
      variable: "KYROS_CSFR",
      fault: "is not a setting of Kyros: did you mean KYROS_CSRF?",
      allowed: "KYROS_CSRF",
    },
  ]);
});

test("the message has one line a fault under its headline", () => {
  const { message } = faultOf(() => loadSettings({ KYROS_PORT: "x", KYROS_CSRF: "x" }));
  assert.deepEqual(message.split("\n"), [
    "Kyros cannot start with these settings (2 faults):",
    "  KYROS_PORT is not a whole number in plain digits; allowed: a whole number from 0 to 65535, 0 taking a free one",
    "  KYROS_CSRF is neither `on` nor `off`; allowed: `on` or `off`",
  ]);
});

test("a port that Kubernetes set for a Service of this name says how to be rid of it", () => {
  assert.match(faultsOf({ KYROS_PORT: "tcp://10.0.0.1:8000" })[0]!.fault, /enableServiceLinks: false/);
});

test("a setting that is set but empty says how to have the default", () => {
  for (const [, { variable }] of SETTINGS) {
    assert.deepEqual(
      faultsOf({ [variable]: "" }).map(({ fault }) => fault),
      ["is empty: leave it unset to have the default"],
    );
  }
});
