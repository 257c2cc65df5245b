import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { addressPolicy, defaultPolicy, formatLimit, parseLimit } from "../../src/guards/limit-policy.ts";

describe("limits as text", () => {
  for (const [text, limit, windowMs] of [
    ["100/15m", 100, 900_000],
    ["1000/1h", 1000, 3_600_000],
    ["10/1m", 10, 60_000],
    ["1/1s", 1, 1000],
    ["1000000000/366d", 1e9, 31_622_400_000],
  ] as const) {
    it(`reads ${text}`, () => assert.deepEqual(parseLimit(text), { limit, windowMs }));
  }

  for (const text of [
    "",
    "off",
    "100",
    "100/",
    "/1m",
    "100/1",
    "100/m",
    "0/1m",
    "01/1m",
    "-1/1m",
    "+1/1m",
    "1.5/1m",
    "1e3/1m",
    "0x10/1m",
    "1000000001/1m",
    "9999999999/1m",
    "100/0s",
    "100/01m",
    "100/367d",
    "100/31622401s",
    "100/999999999d",
    "100/1w",
    "100/1M",
    "100/1ms",
    "100/1m/1m",
    " 100/1m",
    "100/1m ",
    "100/1m\n",
    "100 / 1m",
    "１００/1m",
  ]) {
    it(`does not read ${JSON.stringify(text)}`, () => assert.equal(parseLimit(text), undefined));
  }

  it("writes what it reads, in the largest unit that fits", () => {
    assert.equal(formatLimit({ limit: 5, windowMs: 60_000 }), "5/1m");
    assert.equal(formatLimit({ limit: 5, windowMs: 90_000 }), "5/90s");
    assert.equal(formatLimit({ limit: 5, windowMs: 86_400_000 }), "5/1d");
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e9 }),
        fc.integer({ min: 1, max: 366 * 86_400 }),
        (limit, seconds) => {
          const value = { limit, windowMs: seconds * 1000 };
          assert.deepEqual(parseLimit(formatLimit(value)), value);
        },
      ),
    );
  });

  it("does not write parts of a second", () => {
    assert.throws(() => formatLimit({ limit: 5, windowMs: 1500 }), RangeError);
  });
});

describe("policies", () => {
  it("allows an address a hundred times what it allows a client, as far as limits go", () => {
    const limit = { limit: 100, windowMs: 900_000 };
    assert.deepEqual(defaultPolicy(limit), { name: "default", limit: 100, windowMs: 900_000 });
    assert.deepEqual(addressPolicy(limit), { name: "address", limit: 10_000, windowMs: 900_000 });
    assert.equal(addressPolicy({ limit: 5e8, windowMs: 1000 }).limit, 1e9);
  });
});
