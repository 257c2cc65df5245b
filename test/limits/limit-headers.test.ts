import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLimitHeaders, stageAllowance } from "../../src/guards/limit-headers.ts";
import { exchangeOf, stagedOf } from "./exchanges.ts";

const ALLOWANCE = {
  policy: "default",
  limit: 100,
  windowSeconds: 900,
  remaining: 99,
  resetSeconds: 9,
  allowed: true,
  retryAfterSeconds: 0,
};
const POLICY = { name: "default", limit: 100, windowMs: 900_000 };
const HEADERS = {
  "ratelimit-policy": '"default";q=100;w=900',
  ratelimit: '"default";r=99;t=9',
  "x-ratelimit-limit": "100",
  "x-ratelimit-remaining": "99",
  "x-ratelimit-reset": "9",
};

describe("limit headers", () => {
  it("says the policy and what is left of it, in both dialects", () => {
    const exchange = exchangeOf();
    createLimitHeaders(POLICY)(exchange, ALLOWANCE);
    assert.deepEqual(stagedOf(exchange), HEADERS);
  });

  it("says the same of an allowance alone", () => {
    const exchange = exchangeOf();
    stageAllowance(exchange, ALLOWANCE);
    assert.deepEqual(stagedOf(exchange), HEADERS);
  });

  it("takes the place of what was staged before, and leaves everything else", () => {
    const exchange = exchangeOf();
    exchange.stage("set-cookie", "a=1");
    createLimitHeaders(POLICY)(exchange, ALLOWANCE);
    exchange.stage("set-cookie", "ratelimit-policy");
    stageAllowance(exchange, {
      ...ALLOWANCE,
      policy: "login",
      limit: 10,
      windowSeconds: 60,
      remaining: 3,
      resetSeconds: 42,
    });
    assert.deepEqual(exchange.staged, [
      ...["x-staged-before", "1", "set-cookie", "a=1"],
      ...["ratelimit-policy", '"login";q=10;w=60', "ratelimit", '"login";r=3;t=42'],
      ...["x-ratelimit-limit", "10", "x-ratelimit-remaining", "3", "x-ratelimit-reset", "42"],
      ...["set-cookie", "ratelimit-policy"],
    ]);
  });

  it("does not take a header's value for its name", () => {
    const exchange = exchangeOf();
    exchange.stage("x-other", "ratelimit-policy");
    createLimitHeaders(POLICY)(exchange, ALLOWANCE);
    assert.deepEqual(stagedOf(exchange), { "x-other": "ratelimit-policy", ...HEADERS });
  });

  it("quotes a name as RFC 9651 does", () => {
    const exchange = exchangeOf();
    createLimitHeaders({ ...POLICY, name: 'a"b\\c' })(exchange, ALLOWANCE);
    assert.equal(stagedOf(exchange)["ratelimit-policy"], '"a\\"b\\\\c";q=100;w=900');
    assert.equal(stagedOf(exchange)["ratelimit"], '"a\\"b\\\\c";r=99;t=9');
  });

  it("refuses a name that no header can carry", () => {
    for (const name of ["", "a\r\nset-cookie: b=1", "a\n", "a\u0000", "\u007f", "é", "名"]) {
      assert.throws(() => createLimitHeaders({ ...POLICY, name }), RangeError, JSON.stringify(name));
    }
  });
});
