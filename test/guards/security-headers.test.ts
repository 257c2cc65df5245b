import assert from "node:assert/strict";
import { validateHeaderName, validateHeaderValue } from "node:http";
import { test } from "node:test";
import { compileContentSecurityPolicy, NONCE } from "../../src/guards/content-security-policy.ts";
import type { SecurityHeadersOptions } from "../../src/guards/security-headers.ts";
import { createSecurityHeaders, PAGE_POLICY, useNonce } from "../../src/guards/security-headers.ts";
import { Exchange } from "../../src/kernel/exchange.ts";
import { systemRandom } from "../../src/kernel/random.ts";
import { exchangeOf, NOW_MS, stagedPairs } from "./http-request.ts";

const REPORT = "report-uri /security/csp-report; report-to csp-endpoint";

function pairs(flat: readonly string[]): Record<string, string> {
  const entries: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2) entries.push([flat[i]!, flat[i + 1]!]);
  assert.equal(new Set(entries.map(([name]) => name)).size, entries.length, "a header comes twice");
  return Object.fromEntries(entries);
}

function exchangeWith(options: SecurityHeadersOptions = {}): Exchange {
  const { view, rule, client } = exchangeOf();
  return new Exchange(view, rule, "request-1", client, NOW_MS, createSecurityHeaders(options).base);
}

test("every response carries the headers of the contract", () => {
  const { "permissions-policy": permissions, ...headers } = pairs(createSecurityHeaders().base);
  assert.deepEqual(headers, {
    "content-security-policy": `default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'; ${REPORT}`,
    "reporting-endpoints": 'csp-endpoint="/security/csp-report"',
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-xss-protection": "0",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
  });
  for (const feature of [
    "camera",
    "microphone",
    "geolocation",
    "payment",
    "usb",
    "serial",
    "hid",
    "bluetooth",
  ]) {
    assert.ok(permissions!.split(", ").includes(`${feature}=()`), feature);
  }
});

test("over HTTPS it is the same and Strict-Transport-Security of a year or more, subdomains included", () => {
  const { base, baseHttps } = createSecurityHeaders();
  const { "strict-transport-security": hsts, ...rest } = pairs(baseHttps);
  assert.deepEqual(rest, pairs(base));
  assert.equal(hsts, "max-age=63072000; includeSubDomains");
  const year = createSecurityHeaders({ hstsMaxAgeSeconds: 31_536_000 });
  assert.equal(pairs(year.baseHttps)["strict-transport-security"], "max-age=31536000; includeSubDomains");
});

test("names and values are what Node accepts, in lower case, and nobody can change them", () => {
  const { base, baseHttps } = createSecurityHeaders({ cspReportOnly: true });
  for (const [name, value] of Object.entries(pairs(baseHttps))) {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    assert.equal(name, name.toLowerCase());
  }
  assert.ok(Object.isFrozen(base) && Object.isFrozen(baseHttps));
});

test("in report-only mode the policy goes by the other name and no other header changes", () => {
  const enforced = pairs(createSecurityHeaders().base);
  const reported = pairs(createSecurityHeaders({ cspReportOnly: true }).base);
  assert.equal(reported["content-security-policy-report-only"], enforced["content-security-policy"]);
  assert.equal("content-security-policy" in reported, false);
  assert.equal(reported["x-frame-options"], "DENY");
});

test("a policy to try out is reported beside the one that is enforced, on pages too and with their nonce", () => {
  const options: SecurityHeadersOptions = {
    reportOnlyPolicy: { "script-src": [NONCE], "img-src": ["'self'"] },
  };
  const plain = pairs(createSecurityHeaders().base);
  const { base, reportOnly } = createSecurityHeaders(options);
  const tried = `script-src 'none'; img-src 'self'; ${REPORT}`;
  assert.deepEqual(pairs(base), { ...plain, "content-security-policy-report-only": tried });

  const exchange = exchangeWith(options);
  const nonce = useNonce(exchange, systemRandom, PAGE_POLICY, reportOnly);
  const policies = Object.fromEntries(stagedPairs(exchange).filter(([name]) => /security-policy/.test(name)));
  assert.deepEqual(policies, {
    "content-security-policy": PAGE_POLICY.withNonce(nonce),
    "content-security-policy-report-only": `script-src 'nonce-${nonce}'; img-src 'self'; ${REPORT}`,
  });
});

test("a policy to try out that has no place for a nonce stays as it is on pages", () => {
  const options = { reportOnlyPolicy: { "img-src": ["'self'"] } };
  const exchange = exchangeWith(options);
  useNonce(exchange, systemRandom, PAGE_POLICY, createSecurityHeaders(options).reportOnly);
  const tried = stagedPairs(exchange).filter(([name]) => name === "content-security-policy-report-only");
  assert.deepEqual(tried, [["content-security-policy-report-only", `img-src 'self'; ${REPORT}`]]);
});

test("X-XSS-Protection and the policy can be chosen", () => {
  const headers = pairs(
    createSecurityHeaders({
      xssProtection: "1; mode=block",
      contentSecurityPolicy: { "default-src": ["'self'"] },
    }).base,
  );
  assert.equal(headers["x-xss-protection"], "1; mode=block");
  assert.equal(headers["content-security-policy"], `default-src 'self'; ${REPORT}`);
});

test("wrong options are faults at construction", () => {
  const wrong: [SecurityHeadersOptions, RegExp][] = [
    [{ hstsMaxAgeSeconds: 31_535_999 }, /at least 31536000/],
    [{ hstsMaxAgeSeconds: Number.NaN }, /at least/],
    [{ hstsMaxAgeSeconds: 31_536_000.5 }, /whole number/],
    [{ xssProtection: "0\r\nx: y" as "0" }, /must be "0"/],
    [{ contentSecurityPolicy: {} }, /at least one directive/],
    [{ reportOnlyPolicy: {} }, /at least one directive/],
    [{ cspReportOnly: true, reportOnlyPolicy: { "img-src": ["'self'"] } }, /leave out cspReportOnly/],
  ];
  for (const [options, message] of wrong) {
    assert.throws(() => createSecurityHeaders(options), { name: "TypeError", message });
  }
});

test("a page gets a nonce of its own: fresh for each response, one however often it is asked for", () => {
  const exchange = exchangeWith();
  const nonce = useNonce(exchange, systemRandom);
  assert.match(nonce, /^[A-Za-z0-9_-]{22}$/);
  assert.equal(useNonce(exchange, systemRandom), nonce);
  assert.notEqual(useNonce(exchangeWith(), systemRandom), nonce);
  const policies = stagedPairs(exchange).filter(([name]) => name.startsWith("content-security-policy"));
  assert.deepEqual(policies, [
    [
      "content-security-policy",
      `default-src 'none'; script-src 'self' 'nonce-${nonce}'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; ${REPORT}`,
    ],
  ]);
});

test("a page's policy is only reported where the service's own is", () => {
  const exchange = exchangeWith({ cspReportOnly: true });
  const nonce = useNonce(exchange, systemRandom);
  const policies = stagedPairs(exchange).filter(([name]) => name.startsWith("content-security-policy"));
  assert.deepEqual(policies, [["content-security-policy-report-only", PAGE_POLICY.withNonce(nonce)]]);
});

test("where no policy was staged, a page's is enforced", () => {
  const exchange = exchangeOf();
  const nonce = useNonce(exchange, systemRandom, compileContentSecurityPolicy({ "script-src": [NONCE] }));
  assert.deepEqual(stagedPairs(exchange), [
    ["content-security-policy", `script-src 'nonce-${nonce}'; ${REPORT}`],
  ]);
});
