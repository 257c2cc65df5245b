import assert from "node:assert/strict";

const API_CSP =
  "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'; " +
  "report-uri /security/csp-report; report-to csp-endpoint";
const EXACT = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "x-xss-protection": "0",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

/** The contract's list "On every response", over plain HTTP. */
export function assertEveryHeader(response: Response, csp = API_CSP): void {
  const { headers } = response;
  for (const [name, value] of Object.entries(EXACT)) assert.equal(headers.get(name), value, name);
  assert.equal(headers.get("content-security-policy"), csp);
  assert.match(headers.get("permissions-policy") ?? "", /\bcamera=\(\).*\bmicrophone=\(\)/);
  assert.ok((headers.get("x-request-id") ?? "").length >= 16, "x-request-id");
  assert.equal(headers.get("server"), null);
  assert.equal(headers.get("x-powered-by"), null);
}
