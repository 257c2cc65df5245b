import assert from "node:assert/strict";
import { hkdfSync, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { forge, resign, segment } from "../crypto/forge.ts";
import { rawRequest, sendRaw } from "./raw-request.ts";
import type { TestService } from "./running-service.ts";
import { runService } from "./running-service.ts";

type Json = Readonly<Record<string, unknown>>;

let service: TestService;
let key: Uint8Array;
let issued: string;
let header: Json;
let claims: Json;

before(async () => {
  service = await runService();
  await service.createUser("alice");
  issued = (await service.login("alice")).access_token;
  const [head, payload] = issued.split(".");
  header = JSON.parse(Buffer.from(head!, "base64url").toString());
  claims = JSON.parse(Buffer.from(payload!, "base64url").toString());
  const secret = Buffer.from((await readFile(join(service.dataDir, "secret"), "latin1")).trim(), "base64url");
  key = new Uint8Array(hkdfSync("sha512", secret, "", "kyros/access-token/HS512", 64));
});
after(() => service.stop());

function show(authorization: string): Promise<Response> {
  return fetch(`${service.url}/protected`, { headers: { authorization } });
}

async function assertRefused(response: Response, code: string): Promise<void> {
  assert.equal(response.status, 401);
  assert.equal(response.headers.get("content-type"), "application/problem+json; charset=utf-8");
  const challenge = response.headers.get("www-authenticate") ?? "";
  assert.match(challenge, /^Bearer\b/);
  // RFC 6750 section 3.1: an error is named only where a token was shown.
  assert.equal(challenge.includes('error="invalid_token"'), code !== "unauthenticated");
  const body = (await response.json()) as Record<string, unknown>;
  assert.equal(body["code"], code);
  assert.equal(body["type"], `urn:kyros:problem:${code}`);
  assert.equal(body["status"], 401);
  assert.equal(body["instance"], response.headers.get("x-request-id"));
}

/** A token of our own key with some claims another; `undefined` leaves one out. */
function withClaims(changes: Json): string {
  return forge(key, header, { ...claims, ...changes });
}

function withHeader(changes: Json, hash = "sha512"): string {
  return forge(key, { ...header, ...changes }, claims, hash);
}

/** The same payload JSON with another member in front or behind. */
function payloadText(edit: (json: string) => string): string {
  return resign(key, `${segment(header)}.${segment(edit(JSON.stringify(claims)))}`);
}

const seconds = () => Math.floor(Date.now() / 1000);

describe("a token that is ours", () => {
  it("is what the contract says: HS512 of the derived key over at+jwt", async () => {
    assert.equal(header["alg"], "HS512");
    assert.equal(header["typ"], "at+jwt");
    assert.equal(forge(key, header, claims), issued);
    const response = await show(`Bearer ${withClaims({ jti: "of-another-program" })}`);
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { message: "Hello, alice!" });
  });

  for (const scheme of ["bearer", "BEARER", "bEaReR"]) {
    it(`is taken after the scheme ${scheme}`, async () => {
      assert.equal((await show(`${scheme} ${issued}`)).status, 200);
    });
  }
});

describe("no bearer token", () => {
  it("asks who it is", async () => {
    await assertRefused(await fetch(`${service.url}/protected`), "unauthenticated");
  });

  const others: Readonly<Record<string, () => string>> = {
    "Basic credentials": () => `Basic ${Buffer.from("alice:correct horse").toString("base64")}`,
    "a token behind the scheme Basic": () => `Basic ${issued}`,
    "a token behind the scheme Token": () => `Token ${issued}`,
    "a token without a scheme": () => issued,
    "the scheme alone": () => "Bearer",
    "a tab for the space": () => `Bearer\t${issued}`,
  };
  for (const [name, value] of Object.entries(others)) {
    it(`is shown by ${name}`, async () => assertRefused(await show(value()), "unauthenticated"));
  }

  it("is taken from the query", async () => {
    await assertRefused(await fetch(`${service.url}/protected?access_token=${issued}`), "unauthenticated");
  });
});

const INVALID: Readonly<Record<string, () => string>> = {
  // Form
  "no JWS": () => "not-a-token",
  "two segments": () => issued.slice(0, issued.lastIndexOf(".")),
  "four segments": () => `${issued}.AAAA`,
  "an empty signature": () => issued.slice(0, issued.lastIndexOf(".") + 1),
  "two spaces after the scheme": () => ` ${issued}`,
  "two tokens": () => `${issued}, ${issued}`,
  "5000 dots": () => ".".repeat(5000),
  "5 kB": () => withClaims({ padding: "x".repeat(3600) }),
  "5 kB of one segment": () => "A".repeat(5000),
  "padding after the signature": () => `${issued}==`,
  "padding after the payload": () => resign(key, `${segment(header)}.${segment(claims)}=`),
  "base64 in place of base64url": () => resign(key, `${segment(header)}.${segment(claims)}+/`),
  // 64 bytes end in a character of which four bits count for nothing.
  "a last character that is not canonical": () => {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    return issued.slice(0, -1) + alphabet[alphabet.indexOf(issued.at(-1)!) + 1]!;
  },
  "a payload that is no object": () => forge(key, header, [claims]),
  "a payload that is no JSON": () => forge(key, header, "{"),
  // Algorithm and key
  "alg none without a signature": () => `${segment({ ...header, alg: "none" })}.${segment(claims)}.`,
  "alg None without a signature": () => `${segment({ ...header, alg: "None" })}.${segment(claims)}.`,
  "alg none, signed": () => withHeader({ alg: "none" }),
  "alg HS256 by the same key": () => withHeader({ alg: "HS256" }, "sha256"),
  "alg HS384 by the same key": () => withHeader({ alg: "HS384" }, "sha384"),
  "alg hs512": () => withHeader({ alg: "hs512" }),
  "no alg": () => withHeader({ alg: undefined }),
  "alg RS256": () => withHeader({ alg: "RS256" }),
  "a foreign key": () => forge(randomBytes(64), header, claims),
  "an empty key": () => forge("", header, claims),
  "an unknown kid": () => withHeader({ kid: "../../dev/null" }),
  "a changed payload under the old signature": () =>
    `${segment(header)}.${segment({ ...claims, role: "admin" })}.${issued.split(".")[2]}`,
  // Header
  "typ JWT": () => withHeader({ typ: "JWT" }),
  "no typ": () => withHeader({ typ: undefined }),
  crit: () => withHeader({ crit: ["exp"] }),
  "crit of an extension": () => withHeader({ crit: ["urn:x"], "urn:x": true }),
  "a key of its own": () => withHeader({ jwk: { kty: "oct", k: "AA" } }),
  "a key's address": () => withHeader({ jku: "http://127.0.0.1:1/jwks.json" }),
  "a header member twice": () =>
    resign(key, `${segment(`{"alg":"none",${JSON.stringify(header).slice(1)}`)}.${segment(claims)}`),
  // Claims
  "another issuer": () => withClaims({ iss: "kyros.example" }),
  "no issuer": () => withClaims({ iss: undefined }),
  "another audience": () => withClaims({ aud: "other" }),
  "a list of other audiences": () => withClaims({ aud: ["other", "kyros "] }),
  "no audience": () => withClaims({ aud: undefined }),
  "no exp": () => withClaims({ exp: undefined }),
  "exp as text": () => withClaims({ exp: String(seconds() + 3600) }),
  "exp beyond all numbers": () => payloadText((json) => json.replace(/"exp":\d+/, '"exp":1e999')),
  "a negative exp": () => withClaims({ exp: -1 }),
  "iat in an hour": () => withClaims({ iat: seconds() + 3600, exp: seconds() + 7200 }),
  "nbf in an hour": () => withClaims({ nbf: seconds() + 3600 }),
  "no jti": () => withClaims({ jti: undefined }),
  "no sub": () => withClaims({ sub: undefined }),
  "sub as a list": () => withClaims({ sub: [claims["sub"]] }),
  "another user's sub": () => withClaims({ sub: "01890000-0000-7000-8000-000000000000" }),
  "no sid": () => withClaims({ sid: undefined }),
  "an unknown role": () => withClaims({ role: "root" }),
  "a claim twice": () => payloadText((json) => `{"role":"admin",${json.slice(1)}`),
  "a claim twice by an escape": () => payloadText((json) => `{"r\\u006fle":"admin",${json.slice(1)}`),
  "a prototype among its claims": () => payloadText((json) => `{"__proto__":{},${json.slice(1)}`),
};

describe("an invalid token", () => {
  for (const [name, token] of Object.entries(INVALID)) {
    it(`is one with ${name}`, async () => assertRefused(await show(`Bearer ${token()}`), "token_invalid"));
  }

  it("is two Authorization headers, whichever is right", async () => {
    for (const pair of [
      [issued, issued],
      [issued, "x"],
      ["x", issued],
    ]) {
      const lines = pair.map((token) => `authorization: Bearer ${token}`);
      const answer = await sendRaw(service.url, rawRequest("GET", "/protected", lines));
      assert.equal(answer?.status, 401);
      assert.match(answer.head, /^www-authenticate: Bearer\b/im);
      assert.match(answer.head, /^content-type: application\/problem\+json/im);
      assert.equal(JSON.parse(answer.body).code, "token_invalid");
    }
  });
});

describe("a token that was valid", () => {
  it("has expired a second ago", async () => {
    await assertRefused(await show(`Bearer ${withClaims({ exp: seconds() - 1 })}`), "token_expired");
  });

  it("is of a session that nobody knows", async () => {
    const sid = "01890000-0000-7000-8000-000000000000";
    await assertRefused(await show(`Bearer ${withClaims({ sid })}`), "token_revoked");
  });

  it("is of a session that has ended, also where it was remembered as verified", async () => {
    const { access_token } = await service.login("alice");
    assert.equal((await show(`Bearer ${access_token}`)).status, 200);
    const out = await fetch(`${service.url}/auth/logout`, {
      method: "POST",
      headers: { authorization: `Bearer ${access_token}` },
    });
    assert.equal(out.status, 204);
    await assertRefused(await show(`Bearer ${access_token}`), "token_revoked");
  });
});

describe("a header section of a megabyte", () => {
  it("is refused before it is read to the end, and the service goes on", async () => {
    const line = `authorization: Bearer ${"A".repeat(1024 * 1024)}`;
    const answer = await sendRaw(service.url, rawRequest("GET", "/protected", [line]));
    assert.ok(answer === undefined || answer.status === 431, `answered ${answer?.status}`);
    assert.equal((await show(`Bearer ${issued}`)).status, 200);
    assert.deepEqual(service.failures, []);
  });
});
