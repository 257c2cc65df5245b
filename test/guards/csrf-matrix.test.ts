import assert from "node:assert/strict";
import { test } from "node:test";
import { createCsrfTokens } from "../../src/crypto/csrf-token.ts";
import { createCsrfGuard } from "../../src/guards/csrf.ts";
import type { Exchange } from "../../src/kernel/exchange.ts";
import type { Principal, ServicePrincipal, UserPrincipal } from "../../src/kernel/principal.ts";
import { ANONYMOUS, bindingOf } from "../../src/kernel/principal.ts";
import { systemRandom } from "../../src/kernel/random.ts";
import { DEFAULT_RULE } from "../../src/kernel/rule.ts";
import { exchangeOf, NOW_MS } from "./http-request.ts";

const user = { id: "user-1", username: "ada", email: null, role: "user" } as const;
const session: UserPrincipal = {
  kind: "user",
  user,
  credential: "session",
  sessionId: "cookie-session",
  authenticatedAtMs: NOW_MS,
  mfa: false,
};
const bearer: UserPrincipal = {
  ...session,
  credential: "access_token",
  sessionId: "token-session",
  tokenId: "jti",
};
const BINDING = { cookie: bindingOf(session), token: bindingOf(bearer) };
const apiKey: ServicePrincipal = {
  kind: "service",
  user,
  credential: "api_key",
  keyId: "key-1",
  keyName: "ci",
  scopes: [],
  authenticatedAtMs: NOW_MS,
};

/** Who comes with what, and the session that the token must be bound to: none, where no token can help. */
const CALLERS = {
  nobody: { principal: ANONYMOUS, cookie: "none", bound: undefined },
  "a bearer token": { principal: bearer, cookie: "none", bound: undefined },
  "an API key": { principal: apiKey, cookie: "none", bound: undefined },
  "a session cookie": { principal: session, cookie: "live", bound: BINDING.cookie },
  "a dead cookie": { principal: ANONYMOUS, cookie: "dead", bound: undefined },
  "a bearer token and a live cookie": { principal: bearer, cookie: "live", bound: BINDING.cookie },
  "a bearer token and a dead cookie": { principal: bearer, cookie: "dead", bound: BINDING.token },
  "an API key and a live cookie": { principal: apiKey, cookie: "live", bound: BINDING.cookie },
  "an API key and a dead cookie": { principal: apiKey, cookie: "dead", bound: undefined },
  "a refused bearer token and a live cookie": {
    principal: ANONYMOUS,
    cookie: "live",
    bound: BINDING.cookie,
  },
} as const satisfies Record<string, { principal: Principal; cookie: string; bound: string | undefined }>;

const ORIGINS = {
  absent: undefined,
  own: "https://kyros.example",
  listed: "https://app.example",
  null: "null",
  "plain own": "http://kyros.example",
  "own on another port": "https://kyros.example:8443",
  sibling: "https://evil.kyros.example",
  foreign: "https://evil.example",
  "own as a prefix": "https://kyros.example.evil.example",
  "own in upper case": "https://KYROS.example",
  two: "https://kyros.example, https://evil.example",
  garbage: "kyros.example",
  empty: "",
} as const;
type OriginName = keyof typeof ORIGINS;
const ALL = Object.keys(ORIGINS) as OriginName[];
const ALL_BUT_NULL = ALL.filter((name) => name !== "null");

/** For each Sec-Fetch-Site, the origins let through: by the check alone, and by that which a token completes. */
const SITES: [site: string | undefined, alone: OriginName[], withToken: OriginName[]][] = [
  [undefined, ["absent", "own", "listed"], ["absent", "own", "listed"]],
  ["same-origin", ALL, ALL],
  ["none", ALL_BUT_NULL, ALL_BUT_NULL],
  ["same-site", ["listed"], ALL_BUT_NULL],
  ["cross-site", ["listed"], []],
  ["", [], []],
  ["Same-Origin", [], []],
  ["same-origin, cross-site", [], []],
  ["garbage", [], []],
];

const TOKENS = ["missing", "valid", "of another session", "expired", "garbage", "empty", "twice"] as const;
const PLACES = ["header", "json", "form", "parsed form", "multipart"] as const;
const METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "get", "PROPFIND"];

const tokens = createCsrfTokens({
  keyring: { deriveAll: (_label, length) => [new Uint8Array(length).fill(7)] },
  random: systemRandom,
  ttlMs: 1000,
});
const guard = createCsrfGuard({ tokens, enabled: true, trustedOrigins: [ORIGINS.listed] });

const valid = new Map([BINDING.cookie, BINDING.token, "none"].map((id) => [id, tokens.issue(id, NOW_MS)]));
const expired = new Map(
  [BINDING.cookie, BINDING.token, "none"].map((id) => [id, tokens.issue(id, NOW_MS - 1000)]),
);

function tokenText(state: (typeof TOKENS)[number], bound: string | undefined): string | undefined {
  const own = valid.get(bound ?? "none")!;
  const texts = {
    missing: undefined,
    valid: own,
    "of another session": valid.get(bound === BINDING.token ? BINDING.cookie : BINDING.token),
    expired: expired.get(bound ?? "none"),
    garbage: "garbage",
    empty: "",
    twice: `${own}, ${own}`,
  };
  return texts[state];
}

const CONTENT_TYPES = {
  header: "application/json",
  json: "application/json",
  form: "Application/X-WWW-Form-Urlencoded; charset=utf-8",
  "parsed form": "application/x-www-form-urlencoded",
  multipart: "multipart/form-data; boundary=x",
} as const;

/** What an adapter does: the guard, then, for a form, the field of the parsed body. */
function isHandled(exchange: Exchange, field: string | undefined): boolean {
  const decision = guard.check(exchange);
  assert.ok(!(decision instanceof Promise));
  if (decision.kind !== "pass") {
    assert.ok(decision.kind === "deny" && decision.problem.code === "csrf_invalid" && decision.cause);
    return false;
  }
  return guard.checkFormToken(exchange, field).kind === "pass";
}

for (const [who, { principal, cookie, bound }] of Object.entries(CALLERS)) {
  test(`the CSRF matrix for ${who}`, () => {
    for (const csrf of ["token", "origin", "exempt"] as const) {
      for (const method of METHODS) {
        for (const [site, alone, withToken] of SITES) {
          for (const originName of ALL) {
            for (const state of TOKENS) {
              for (const place of PLACES) {
                const text = tokenText(state, bound);
                const exchange = exchangeOf(
                  {
                    method,
                    headers: {
                      "sec-fetch-site": site,
                      origin: ORIGINS[originName],
                      "content-type": CONTENT_TYPES[place],
                      "x-csrf-token": place === "header" ? text : undefined,
                    },
                    ...(place === "parsed form" && text !== undefined && { form: { _csrf: text } }),
                  },
                  { ...DEFAULT_RULE, csrf },
                );
                exchange.principal = principal;
                exchange.ridesOnCookie = cookie !== "none";
                exchange.cookieBinding = cookie === "live" ? BINDING.cookie : undefined;

                const isTokenRead = place === "header" || place === "form" || place === "parsed form";
                const proof = state === "valid" && isTokenRead && bound !== undefined;
                let expected: boolean;
                if (csrf === "exempt" || ["GET", "HEAD", "OPTIONS"].includes(method)) expected = true;
                else if (csrf === "origin") expected = alone.includes(originName);
                else if (cookie === "none") expected = true;
                else if (who === "a dead cookie") expected = alone.includes(originName);
                else expected = withToken.includes(originName) && proof;

                const field = place === "form" || place === "multipart" ? text : undefined;
                const actual = isHandled(exchange, field);
                if (actual !== expected) {
                  assert.fail(
                    `${[csrf, method, site, originName, state, place].join(" | ")}: handled ${actual}`,
                  );
                }
              }
            }
          }
        }
      }
    }
  });
}
