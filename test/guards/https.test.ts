import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createHttpsGuard } from "../../src/guards/https.ts";
import type { Client } from "../../src/kernel/exchange.ts";
import { PASS } from "../../src/kernel/guard.ts";
import type { Rule } from "../../src/kernel/rule.ts";
import { DEFAULT_RULE } from "../../src/kernel/rule.ts";
import { parseCidrs } from "../../src/net/cidr.ts";
import { createClientResolver } from "../../src/pipeline/resolve-client.ts";
import type { HttpRequest } from "./http-request.ts";
import { exchangeOf, gist, headerBytes, requestView } from "./http-request.ts";

const PAGE: Rule = { ...DEFAULT_RULE, access: "public", page: true };
const NAVIGATION = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
const PLAIN = { scheme: "http", host: "kyros.example" } as const;

const guard = createHttpsGuard({ force: true });

function location(
  request: HttpRequest,
  client: Partial<Client> = PLAIN,
  rule = PAGE,
  by = guard,
): string | undefined {
  const decision = by.check(exchangeOf({ headers: NAVIGATION, ...request }, rule, client));
  assert.ok(!(decision instanceof Promise));
  if (decision.kind !== "answer") {
    assert.equal(gist(decision), "https_required");
    return undefined;
  }
  assert.equal(decision.answer.status, 308);
  assert.equal(decision.answer.body, "");
  const { headers } = decision.answer;
  assert.deepEqual(
    [headers[0], headers[2], headers[3], headers.length],
    ["location", "cache-control", "no-store", 4],
  );
  return headers[1];
}

test("plain HTTP is refused with 400 https_required, whatever the method", () => {
  for (const method of ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "get"]) {
    const decision = guard.check(exchangeOf({ method, headers: NAVIGATION }, DEFAULT_RULE, PLAIN));
    assert.ok(!(decision instanceof Promise) && decision.kind === "deny");
    assert.equal(decision.problem.code, "https_required");
    assert.equal(decision.problem.status, 400);
  }
});

test("HTTPS passes, and so does everything where HTTPS is not forced", () => {
  assert.equal(guard.check(exchangeOf({}, PAGE, { scheme: "https" })), PASS);
  const off = createHttpsGuard({ force: false });
  assert.equal(off.check(exchangeOf({ method: "POST" }, DEFAULT_RULE, PLAIN)), PASS);
});

test("a browser's navigation to a page is redirected to the same place over HTTPS", () => {
  assert.equal(location({ target: "/docs?q=a%20b&c" }), "https://kyros.example/docs?q=a%20b&c");
  assert.equal(location({ method: "HEAD", target: "/docs" }), "https://kyros.example/docs");
  assert.equal(location({ headers: { "sec-fetch-mode": "navigate" } }), "https://kyros.example/");
  assert.equal(location({ headers: { accept: "TEXT/HTML" } }), "https://kyros.example/");
  assert.equal(location({}, { scheme: "http", host: "kyros.example:8000" }), "https://kyros.example/");
  assert.equal(location({}, { scheme: "http", host: "[2001:db8::1]:8000" }), "https://[2001:db8::1]/");
});

test("what is no navigation to a page is refused, not redirected", () => {
  assert.equal(location({}, PLAIN, DEFAULT_RULE), undefined);
  assert.equal(location({ method: "POST" }), undefined);
  assert.equal(location({ headers: { accept: "application/json" } }), undefined);
  assert.equal(location({ headers: { accept: "*/*" } }), undefined);
  assert.equal(location({ headers: {} }), undefined);
  assert.equal(location({ headers: { ...NAVIGATION, "sec-fetch-mode": "cors" } }), undefined);
});

test("a redirect leads to a valid host and never anywhere the target says", () => {
  assert.equal(location({}, { scheme: "http", host: "" }), undefined);
  assert.equal(location({ target: "//evil.example/x" }), "https://kyros.example//evil.example/x");
  for (const target of [
    "http://evil.example/",
    "evil.example",
    "@evil.example",
    "",
    "*",
    "/a b",
    "/a\r\nx: y",
    "/ü",
  ]) {
    assert.equal(location({ target }), undefined, JSON.stringify(target));
  }
});

test("with a list of hosts no other is redirected to", () => {
  const listed = createHttpsGuard({ force: true, allowedHosts: ["Kyros.Example", "[2001:db8::1]"] });
  assert.equal(location({}, PLAIN, PAGE, listed), "https://kyros.example/");
  assert.equal(
    location({}, { scheme: "http", host: "kyros.example:80" }, PAGE, listed),
    "https://kyros.example/",
  );
  assert.equal(location({}, { scheme: "http", host: "evil.example" }, PAGE, listed), undefined);
  assert.equal(location({}, { scheme: "http", host: "kyros.example.evil.example" }, PAGE, listed), undefined);
  for (const host of ["", "kyros.example:443", "https://kyros.example", "*.kyros.example"]) {
    assert.throws(() => createHttpsGuard({ force: true, allowedHosts: [host] }), { name: "TypeError" }, host);
  }
});

test("no bytes in any header or target make it throw or redirect to another host than the connection's", () => {
  const resolve = createClientResolver({ trustedProxies: parseCidrs(["10.0.0.1"]) });
  const bytes = fc.oneof(headerBytes, fc.constantFrom("kyros.example", "evil.example", "kyros.example\r\n"));
  fc.assert(
    fc.property(bytes, bytes, bytes, headerBytes, (host, forwardedHost, accept, target) => {
      const request = {
        target: `/${target}`,
        headers: { host, "x-forwarded-host": forwardedHost, accept: `text/html${accept}` },
      };
      const { scheme, host: asked } = resolve(requestView(request));
      const to = location(request, { scheme, host: asked });
      if (to !== undefined) assert.equal(new URL(to).host, new URL(`https://${host}`).hostname);
    }),
    { numRuns: 1000 },
  );
});
