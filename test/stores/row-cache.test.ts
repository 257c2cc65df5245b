import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createRowCache } from "../../src/stores/sql/row-cache.ts";

describe("the row cache", () => {
  it("never returns anything but the last value set and not deleted since", () => {
    const key = fc.integer({ min: 0, max: 12 }).map(String);
    const step = fc.oneof(
      fc.record({ kind: fc.constant("set" as const), key, value: fc.nat() }),
      fc.record({ kind: fc.constantFrom("get" as const, "delete" as const, "clear" as const), key }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 9 }), fc.array(step, { maxLength: 80 }), (capacity, steps) => {
        const cache = createRowCache<number>(capacity);
        const model = new Map<string, number>();
        for (const one of steps) {
          if (one.kind === "set") {
            cache.set(one.key, one.value);
            model.set(one.key, one.value);
            assert.equal(cache.get(one.key), one.value);
          } else if (one.kind === "delete") {
            cache.delete(one.key);
            model.delete(one.key);
          } else if (one.kind === "clear") {
            cache.clear();
            model.clear();
          }
          const found = cache.get(one.key);
          assert.ok(found === undefined || found === model.get(one.key));
        }
        const held = [...model.keys()].filter((one) => cache.get(one) !== undefined);
        assert.ok(held.length <= capacity);
      }),
    );
  });

  it("is bounded, keeps what is asked for, and forgets the rest", () => {
    const cache = createRowCache<number>(100);
    for (let n = 0; n < 10_000; n += 1) {
      cache.set(`key${n}`, n);
      assert.equal(cache.get("key0"), 0);
    }
    let held = 0;
    for (let n = 0; n < 10_000; n += 1) held += cache.get(`key${n}`) === undefined ? 0 : 1;
    assert.ok(held >= 50 && held <= 100, `holds ${held}`);
  });
});
