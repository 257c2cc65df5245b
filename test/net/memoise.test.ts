import assert from "node:assert/strict";
import { test } from "node:test";
import { memoise } from "../../src/net/memoise.ts";

test("a text is computed once while it is in use, `undefined` too, and no more than twice the entries are kept", () => {
  const computed: string[] = [];
  const length = memoise((text) => {
    computed.push(text);
    return text === "" ? undefined : text.length;
  }, 4);
  for (let n = 0; n < 100; n++) {
    assert.equal(length("often"), 5);
    assert.equal(length(""), undefined);
    assert.equal(length(`once ${n}`), `once ${n}`.length);
  }
  assert.equal(computed.filter((text) => text === "often").length, 1);
  assert.equal(computed.filter((text) => text === "").length, 1);
  computed.length = 0;
  for (let n = 0; n < 100; n++) length(`once ${n}`);
  assert.ok(computed.length >= 92, `${computed.length} of 100 were computed again`);
});
