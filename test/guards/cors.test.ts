import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { CorsOptions } from "../../src/guards/cors.ts";
import { createCors } from "../../src/guards/cors.ts";
import { PASS } from "../../src/kernel/guard.ts";
import type { HttpRequest } from "./http-request.ts";
import { exchangeOf, headerBytes, stagedPairs } from "./http-request.ts";

const APP = "https://app.example";

/** Everything a request is answered with: what is staged, and, for a preflight, the answer's own. */
function answered(options: CorsOptions, request: HttpRequest) {
  const exchange = exchangeOf(request);
  const decision = createCors(options).check(exchange);
  assert.ok(!(decision instanceof Promise) && decision.kind !== "deny");
  const staged = stagedPairs(exchange);
  const own: [string, string][] = [];
  const flat = decision.kind === "answer" ? decision.answer.headers : [];
  for (let i = 0; i < flat.length; i += 2) own.push([flat[i]!, flat[i + 1]!]);
  return {
    status: decision.kind === "answer" ? decision.answer.status : undefined,
    headers: Object.fromEntries([...staged, ...own]),
  };
}

const preflight = (origin: string, extra: HttpRequest["headers"] = {}): HttpRequest => ({
  method: "OPTIONS",
  headers: { origin, "access-control-request-method": "DELETE", ...extra },
});

test("a listed origin may read the answer, with credentials where they are on", () => {
  assert.deepEqual(answered({ origins: [APP] }, { headers: { origin: APP } }), {
    status: undefined,
    headers: {
      vary: "Origin",
      "access-control-allow-origin": APP,
      "access-control-expose-headers":
        "ratelimit, ratelimit-policy, retry-after, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset, x-request-id",
    },
  });
  const { headers } = answered(
    { origins: ["https://other.example", APP], credentials: true, exposedHeaders: [] },
    {
      method: "POST",
      headers: { origin: APP },
    },
  );
  assert.deepEqual(headers, {
    vary: "Origin",
    "access-control-allow-origin": APP,
    "access-control-allow-credentials": "true",
  });
});

test("an origin that is not exactly a listed one gets nothing but Vary", () => {
  const origins = [
    "https://evil.example",
    "http://app.example",
    "https://app.example:8443",
    "https://app.example.evil.example",
    "https://sub.app.example",
    "https://evilapp.example",
    "https://APP.example",
    "https://app.example/",
    `${APP}, ${APP}`,
    "null",
    "*",
    "",
  ];
  for (const origin of origins) {
    for (const credentials of [true, false]) {
      const options = { origins: [APP], credentials };
      assert.deepEqual(
        answered(options, { headers: { origin } }),
        { status: undefined, headers: { vary: "Origin" } },
        origin,
      );
      assert.deepEqual(
        answered(options, preflight(origin)),
        { status: 204, headers: { vary: "Origin" } },
        origin,
      );
    }
  }
});

test("Vary: Origin is staged also where no origin came along", () => {
  assert.deepEqual(answered({ origins: [APP] }, {}).headers, { vary: "Origin" });
});

test("a preflight of a listed origin is answered with what is configured, not with what it asks for", () => {
  const asked = {
    "access-control-request-headers": "x-evil, authorization",
    "access-control-request-private-network": "true",
  };
  assert.deepEqual(answered({ origins: [APP], credentials: true }, preflight(APP, asked)), {
    status: 204,
    headers: {
      vary: "Origin",
      "access-control-allow-origin": APP,
      "access-control-allow-credentials": "true",
      "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
      "access-control-allow-headers": "authorization, content-type, x-api-key, x-csrf-token",
      "access-control-max-age": "600",
    },
  });
  const custom = { origins: [APP], methods: ["GET"], allowedHeaders: [], maxAgeSeconds: 0 };
  assert.deepEqual(answered(custom, preflight(APP)).headers, {
    vary: "Origin",
    "access-control-allow-origin": APP,
    "access-control-allow-methods": "GET",
    "access-control-max-age": "0",
  });
});

test("only OPTIONS with an origin and a requested method is a preflight", () => {
  const options = { origins: [APP] };
  assert.equal(answered(options, { method: "OPTIONS", headers: { origin: APP } }).status, undefined);
  assert.equal(
    answered(options, { method: "OPTIONS", headers: { "access-control-request-method": "PUT" } }).status,
    undefined,
  );
  assert.equal(answered(options, { ...preflight(APP), method: "POST" }).status, undefined);
});

test("without origins nothing is staged and no preflight is answered", () => {
  const guard = createCors({ origins: [] });
  for (const request of [preflight(APP), { headers: { origin: APP } }]) {
    const exchange = exchangeOf(request);
    assert.equal(guard.check(exchange), PASS);
    assert.deepEqual(exchange.staged, []);
  }
});

test("any origin may read answers where that is configured, never with credentials", () => {
  const { headers } = answered(
    { origins: ["*"], exposedHeaders: [] },
    { headers: { origin: "https://any.example" } },
  );
  assert.deepEqual(headers, { vary: "Origin", "access-control-allow-origin": "*" });
  assert.throws(() => createCors({ origins: ["*"], credentials: true }), {
    message: /list the exact origins/,
  });
});

test("wrong options are faults at construction", () => {
  const wrong: Partial<CorsOptions>[] = [
    { origins: ["*", APP] },
    { origins: ["null"] },
    { origins: [`${APP}/`] },
    { origins: ["https://*.example"] },
    { origins: ["app.example"] },
    { methods: ["GET, POST"] },
    { methods: ["*"] },
    { allowedHeaders: ["*"] },
    { allowedHeaders: ["x-a\r\nx-b: c"] },
    { exposedHeaders: [""] },
    { exposedHeaders: ["*"] },
    { maxAgeSeconds: -1 },
    { maxAgeSeconds: 1.5 },
    { maxAgeSeconds: 86_401 },
    { maxAgeSeconds: Number.NaN },
  ];
  for (const option of wrong) {
    assert.throws(
      () => createCors({ origins: [APP], ...option }),
      /OriginFault|TypeError/,
      JSON.stringify(option),
    );
  }
});

test("no bytes in any header make it throw or grant anything to an origin that is not listed", () => {
  const guard = createCors({ origins: [APP], credentials: true });
  fc.assert(
    fc.property(headerBytes, headerBytes, fc.constantFrom("GET", "OPTIONS"), (origin, method, verb) => {
      const exchange = exchangeOf({
        method: verb,
        headers: { origin, "access-control-request-method": method },
      });
      guard.check(exchange);
      assert.deepEqual(stagedPairs(exchange), [["vary", "Origin"]]);
    }),
  );
});
