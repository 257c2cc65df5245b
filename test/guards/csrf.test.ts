import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createCsrfTokens } from "../../src/crypto/csrf-token.ts";
import { createCsrfGuard } from "../../src/guards/csrf.ts";
import type { Client, Exchange } from "../../src/kernel/exchange.ts";
import { PASS } from "../../src/kernel/guard.ts";
import { systemRandom } from "../../src/kernel/random.ts";
import type { Rule } from "../../src/kernel/rule.ts";
import { DEFAULT_RULE } from "../../src/kernel/rule.ts";
import type { HttpRequest } from "./http-request.ts";
import { exchangeOf, gist, headerBytes, NOW_MS } from "./http-request.ts";

const SESSION = "session-1";
const FORM = "application/x-www-form-urlencoded";
const ORIGIN_RULE: Rule = { ...DEFAULT_RULE, access: "public", csrf: "origin" };

const tokens = createCsrfTokens({
  keyring: { deriveAll: (_label, length) => [new Uint8Array(length).fill(7)] },
  random: systemRandom,
});
const guard = createCsrfGuard({ tokens, enabled: true, trustedOrigins: ["https://app.example"] });

function signedIn(request: HttpRequest, client: Partial<Client> = {}): Exchange {
  const exchange = exchangeOf({ method: "POST", ...request }, DEFAULT_RULE, client);
  exchange.ridesOnCookie = true;
  exchange.principal = {
    kind: "user",
    user: { id: "user-1", username: "ada", email: null, role: "user" },
    credential: "session",
    sessionId: SESSION,
    authenticatedAtMs: NOW_MS,
    mfa: false,
  };
  return exchange;
}

test("a form is left pending until its field is checked, and stays refused without it", () => {
  const request = { headers: { "content-type": FORM, "sec-fetch-site": "same-origin" } };
  const exchange = signedIn(request);
  assert.equal(guard.check(exchange), PASS);
  assert.equal(exchange.csrfPending, true);
  assert.equal(gist(guard.checkFormToken(exchange, undefined)), "csrf_invalid");
  assert.equal(gist(guard.checkFormToken(exchange, "garbage")), "csrf_invalid");
  assert.equal(exchange.csrfPending, true);
  assert.equal(guard.checkFormToken(exchange, tokens.issue(`${SESSION}@${NOW_MS}`, NOW_MS)), PASS);
  assert.equal(exchange.csrfPending, false);
});

test("a wrong header is not made good by a right form field", () => {
  const exchange = signedIn({
    headers: { "content-type": FORM, "x-csrf-token": "garbage" },
    form: { _csrf: tokens.issue(`${SESSION}@${NOW_MS}`, NOW_MS) },
  });
  assert.equal(gist(guard.check(exchange)), "csrf_invalid");
  assert.equal(exchange.csrfPending, false);
});

test("a request that left nothing pending needs no field", () => {
  const exchange = signedIn({ headers: { "x-csrf-token": tokens.issue(`${SESSION}@${NOW_MS}`, NOW_MS) } });
  assert.equal(guard.check(exchange), PASS);
  assert.equal(exchange.csrfPending, false);
  assert.equal(guard.checkFormToken(exchange, undefined), PASS);
});

test("a form whose site is foreign is refused at once, not left pending", () => {
  const exchange = signedIn({ headers: { "content-type": FORM, "sec-fetch-site": "cross-site" } });
  assert.equal(gist(guard.check(exchange)), "csrf_invalid");
  assert.equal(exchange.csrfPending, false);
});

test("bodies that a page can send without a preflight do not pass for anything else", () => {
  for (const contentType of [
    "text/plain",
    "text/plain;application/json",
    "multipart/form-data",
    undefined,
    "",
  ]) {
    const exchange = signedIn({ headers: { "content-type": contentType, origin: "https://kyros.example" } });
    assert.equal(gist(guard.check(exchange)), "csrf_invalid", contentType);
  }
});

test("the login forms of other sites are refused, though no cookie comes along", () => {
  const login = (headers: HttpRequest["headers"]) =>
    gist(guard.check(exchangeOf({ method: "POST", headers: headers ?? {} }, ORIGIN_RULE)));
  assert.equal(login({ origin: "https://evil.example", "sec-fetch-site": "cross-site" }), "csrf_invalid");
  assert.equal(login({ origin: "https://evil.example" }), "csrf_invalid");
  assert.equal(login({ "sec-fetch-site": "cross-site" }), "csrf_invalid");
  assert.equal(
    login({ origin: "https://sibling.kyros.example", "sec-fetch-site": "same-site" }),
    "csrf_invalid",
  );
  assert.equal(login({ origin: "null" }), "csrf_invalid");
  assert.equal(login({ origin: "https://kyros.example", "sec-fetch-site": "same-origin" }), "pass");
  assert.equal(login({ origin: "https://app.example", "sec-fetch-site": "cross-site" }), "pass");
  assert.equal(login({}), "pass");
});

test("an origin is compared with the scheme and the host the client used, and never with an unknown host", () => {
  const posts = (origin: string, client: Partial<Client>) =>
    gist(guard.check(exchangeOf({ method: "POST", headers: { origin } }, ORIGIN_RULE, client)));
  assert.equal(posts("http://localhost:8000", { scheme: "http", host: "localhost:8000" }), "pass");
  assert.equal(posts("http://localhost:3000", { scheme: "http", host: "localhost:8000" }), "csrf_invalid");
  assert.equal(posts("https://localhost:8000", { scheme: "http", host: "localhost:8000" }), "csrf_invalid");
  assert.equal(posts("https://", { scheme: "https", host: "" }), "csrf_invalid");
});

test("a WebSocket handshake on a cookie must come from one of our pages", () => {
  const handshake = (headers: HttpRequest["headers"], ridesOnCookie = true, rule: Rule = DEFAULT_RULE) => {
    const exchange = exchangeOf({ method: "GET", headers: { upgrade: "websocket", ...headers } }, rule);
    exchange.ridesOnCookie = ridesOnCookie;
    return gist(guard.check(exchange));
  };
  assert.equal(handshake({ origin: "https://evil.example", "sec-fetch-site": "cross-site" }), "csrf_invalid");
  assert.equal(handshake({ origin: "https://evil.kyros.example" }), "csrf_invalid");
  assert.equal(handshake({ origin: "https://kyros.example" }), "pass");
  assert.equal(handshake({}), "pass");
  assert.equal(handshake({ origin: "https://evil.example" }, false), "pass");
  assert.equal(
    handshake({ origin: "https://evil.example" }, true, { ...DEFAULT_RULE, csrf: "exempt" }),
    "pass",
  );
});

test("no header turns a method into another one", () => {
  const headers = { "x-http-method-override": "GET", "x-http-method": "GET", "x-method-override": "GET" };
  assert.equal(gist(guard.check(signedIn({ headers }))), "csrf_invalid");
});

test("refusals say in private what was wrong, and nothing of the token in public", () => {
  const exchange = signedIn({ headers: { "x-csrf-token": "canary-token" } });
  const decision = guard.check(exchange);
  assert.ok(!(decision instanceof Promise) && decision.kind === "deny");
  assert.equal(decision.problem.status, 403);
  assert.equal(decision.cause, "the token is not valid for this session");
  assert.equal(JSON.stringify(decision).includes("canary"), false);
});

test("switched off it passes everything; a trusted origin that is none is a fault at construction", () => {
  const off = createCsrfGuard({ tokens, enabled: false, trustedOrigins: [] });
  assert.equal(off.check(signedIn({ headers: { "sec-fetch-site": "cross-site" } })), PASS);
  assert.equal(off.checkFormToken(signedIn({}), undefined), PASS);
  assert.throws(() => createCsrfGuard({ tokens, enabled: true, trustedOrigins: ["null"] }), {
    name: "OriginFault",
  });
});

test("no bytes in any header make it throw, and none but a token let a cookie's request through", () => {
  const text = fc.option(headerBytes, { nil: undefined });
  fc.assert(
    fc.property(
      text,
      text,
      text,
      text,
      fc.constantFrom("POST", "GET", "x"),
      (site, origin, token, type, method) => {
        const headers = {
          "sec-fetch-site": site,
          origin,
          "x-csrf-token": token,
          "content-type": type,
          upgrade: token,
        };
        const result = gist(guard.check(signedIn({ method, headers })));
        if (method !== "GET") assert.equal(result, "csrf_invalid");
        const login = gist(guard.check(exchangeOf({ method, headers }, ORIGIN_RULE)));
        assert.ok(["pass", "csrf_invalid"].includes(login));
      },
    ),
    { numRuns: 1000 },
  );
});
