import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { rawRequest, sendRaw } from "./raw-request.ts";
import type { TestService } from "./running-service.ts";
import { runService } from "./running-service.ts";

const RUNS = 60;

let service: TestService;
let token: string;
let cookie: string;
before(async () => {
  service = await runService();
  await service.createUser("alice");
  token = (await service.login("alice")).access_token;
  cookie = (await service.browser("alice")).cookie;
});
after(() => service.stop());

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
/** Any bytes but the two that end a line: what comes after one is another line, of another property. */
const lineBytes = fc
  .uint8Array({ maxLength: 200 })
  .map((bytes) => latin1(bytes.filter((byte) => byte !== 0x0a && byte !== 0x0d)));
/** What a header may hold, so that the parser lets it through to the guards. */
const visible = fc
  .array(fc.oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff })), {
    maxLength: 200,
  })
  .map((codes) => String.fromCharCode(...codes));
const value = fc.oneof(visible, lineBytes);

/** Cuts something real in two and puts something else in between. */
function damaged(text: () => string, filling: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), filling).map(([at, middle]) => {
    const cut = Math.floor(at * text().length);
    return text().slice(0, cut) + middle + text().slice(cut);
  });
}

/** Sends whatever a request is made of and holds the service to its word: an answer, and no fault of its own. */
async function holds(bytes: Uint8Array, end = false): Promise<void> {
  const before = service.failures.length;
  const answer = await sendRaw(service.url, bytes, end);
  if (!end) assert.ok(answer !== undefined, "no answer");
  assert.ok(answer === undefined || answer.status < 500, `answered ${answer?.status}`);
  assert.deepEqual(service.failures.slice(before), []);
}

function property<T>(arbitrary: fc.Arbitrary<T>, check: (value: T) => Promise<void>): Promise<void> {
  return fc.assert(fc.asyncProperty(arbitrary, check), { numRuns: RUNS });
}

describe("R25: no bytes are an error of the service's own", () => {
  it("in Authorization", () => {
    const shown = fc.oneof(
      value,
      value.map((text) => `Bearer ${text}`),
      value.map((text) => `Bearer kyros_${text}`),
      damaged(() => `Bearer ${token}`, visible),
    );
    return property(shown, (text) => holds(rawRequest("GET", "/protected", [`authorization: ${text}`])));
  });

  it("in Cookie", () => {
    const shown = fc.oneof(
      value,
      value.map((text) => `kyros_session=${text}`),
      value.map((text) => `${cookie}; csrf_token=${text}`),
      damaged(() => cookie, visible),
    );
    return property(fc.tuple(shown, value), ([text, proof]) =>
      holds(rawRequest("DELETE", "/auth/sessions", [`cookie: ${text}`, `x-csrf-token: ${proof}`])),
    );
  });

  it("in the path and the query", () => {
    const escaped = value.map((text) =>
      text.replace(/[^\w]/g, (one) => `%${one.charCodeAt(0).toString(16).padStart(2, "0")}`),
    );
    const target = fc.oneof(
      value.map((text) => `/${text}`),
      escaped.map((text) => `/${text}`),
      escaped.map((text) => `/auth/sessions/${text}`),
      fc
        .tuple(fc.constantFrom("limit", "cursor", "__proto__", "a"), escaped)
        .map(([name, text]) => `/auth/api-keys?${name}=${text}`),
      value,
    );
    return property(target, (path) => holds(rawRequest("GET", path, [`authorization: Bearer ${token}`])));
  });

  it("in the body", () => {
    const json = fc.oneof(
      fc.json(),
      fc.record({ username: fc.jsonValue(), password: fc.jsonValue() }).map((o) => JSON.stringify(o)),
    );
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
      json.map((text) => Buffer.from(text)),
    );
    const path = fc.constantFrom("/auth/login", "/auth/session", "/auth/refresh", "/security/csp-report");
    const type = fc.oneof(
      fc.constantFrom(
        "application/json",
        "application/x-www-form-urlencoded",
        "application/csp-report",
        "application/reports+json",
      ),
      visible,
    );
    return property(fc.tuple(path, type, body), ([to, as, bytes]) =>
      holds(rawRequest("POST", to, [`content-type: ${as}`], bytes)),
    );
  });

  it("in place of a request", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 400 }).map((raw) => Buffer.from(raw)),
      fc
        .tuple(visible, fc.uint8Array({ maxLength: 400 }))
        .map(([line, raw]) =>
          Buffer.concat([Buffer.from(`GET /protected HTTP/1.1\r\nhost: a\r\n${line}`, "latin1"), raw]),
        ),
    );
    return property(bytes, (raw) => holds(raw, true));
  });

  it("and the service still does its work", async () => {
    const response = await fetch(`${service.url}/protected`, {
      headers: { authorization: `Bearer ${token}` },
    });
    assert.equal(response.status, 200);
  });
});
