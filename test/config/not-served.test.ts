import assert from "node:assert/strict";
import { test } from "node:test";
import { faultsOf, production } from "./environments.ts";

for (const [variable, text] of [
  ["REDIS_URL", "redis://cache.internal:6379"],
  ["REDIS_URL", "rediss://:secret@a.internal:6379/0,rediss://:secret@b.internal:6379/0"],
] as const) {
  test(`${variable}=${text} is refused as not supported, rather than ignored`, () => {
    for (const variables of [{ [variable]: text }, production({ [variable]: text })]) {
      const [fault, ...others] = faultsOf(variables);
      assert.equal(others.length, 0);
      assert.equal(fault?.variable, variable);
      assert.equal(fault?.fault, "asks for what is not supported by this version");
    }
  });
}
