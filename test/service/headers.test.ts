import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { assertEveryHeader } from "./every-header.ts";
import { rawRequest, sendRaw } from "./raw-request.ts";
import type { TestService } from "./running-service.ts";
import { PASSWORD, runService } from "./running-service.ts";

const CREDENTIALS = JSON.stringify({ username: "alice", password: PASSWORD });
const JSON_HEADERS = { "content-type": "application/json" };
const LIMIT_HEADERS = ["ratelimit-policy", "ratelimit", "x-ratelimit-limit", "x-ratelimit-remaining"];

function limitHeaders(response: Response): string[] {
  return [...LIMIT_HEADERS, "x-ratelimit-reset"].filter((name) => response.headers.has(name));
}

describe("every response", () => {
  let service: TestService;
  let bearer: Record<string, string>;
  before(async () => {
    service = await runService({ KYROS_RATE_LIMIT: "1000/1h" });
    await service.createUser("alice");
    bearer = { authorization: `Bearer ${(await service.login("alice")).access_token}` };
  });
  after(() => service.stop());

  const post = (
    path: string,
    body: string,
    headers: Record<string, string> = JSON_HEADERS,
  ): RequestInit & { path: string } => ({
    path,
    method: "POST",
    headers,
    body,
  });
  const cases: readonly [status: number, name: string, request: () => RequestInit & { path: string }][] = [
    [200, "a protected answer", () => ({ path: "/protected", headers: bearer })],
    [200, "a sign-in", () => post("/auth/login", CREDENTIALS)],
    [
      204,
      "a report taken",
      () => post("/security/csp-report", "[]", { "content-type": "application/reports+json" }),
    ],
    [400, "a body that does not fit", () => post("/auth/login", "{}")],
    [400, "a target that is badly encoded", () => ({ path: "/%zz" })],
    [401, "nobody signed in", () => ({ path: "/protected" })],
    [401, "a wrong password", () => post("/auth/login", CREDENTIALS.replace(PASSWORD, "wrong password"))],
    [403, "a user where an admin is asked for", () => ({ path: "/admin/users", headers: bearer })],
    [404, "an unknown path", () => ({ path: "/nothing" })],
    [405, "a method that is not there", () => ({ path: "/protected", method: "PUT" })],
    [413, "a body too large", () => post("/auth/login", "x".repeat(64 * 1024 + 1))],
    [415, "a body of another type", () => post("/auth/login", CREDENTIALS, { "content-type": "text/plain" })],
  ];
  for (const [status, name, request] of cases) {
    it(`carries the headers: ${status}, ${name}`, async () => {
      const { path, ...init } = request();
      const response = await fetch(service.url + path, init);
      assert.equal(response.status, status);
      assertEveryHeader(response);
      assert.equal(response.headers.get("strict-transport-security"), null);
      if (status >= 400) {
        const body = (await response.json()) as { instance: string };
        assert.equal(body.instance, response.headers.get("x-request-id"));
      }
    });
  }

  it("has a request id of its own", async () => {
    const ids = await Promise.all(
      Array.from({ length: 20 }, async () =>
        (await fetch(`${service.url}/healthz`)).headers.get("x-request-id"),
      ),
    );
    assert.equal(new Set(ids).size, 20);
  });

  it("carries no header that a client put into its request", async () => {
    const line = "x-request-id: evil\x80\xff";
    const answer = await sendRaw(service.url, rawRequest("GET", "/healthz", [line]));
    assert.equal(answer?.status, 200);
    assert.doesNotMatch(answer.head, /evil/);
  });

  it("says what the limit is where one applies, refused or not", async () => {
    for (const init of [{ headers: bearer }, {}]) {
      const response = await fetch(`${service.url}/protected`, init);
      assert.equal(limitHeaders(response).length, 5, `${response.status}`);
    }
    assert.deepEqual(limitHeaders(await fetch(`${service.url}/healthz`)), []);
  });

  it("is not stored where it carries a credential", async () => {
    const { refresh_token } = await service.login("alice");
    const { cookie } = await service.browser("alice");
    const carriers = [
      post("/auth/login", CREDENTIALS),
      post("/auth/session", CREDENTIALS),
      post("/auth/refresh", JSON.stringify({ refresh_token })),
      post("/auth/api-keys", JSON.stringify({ name: "ci" }), { ...JSON_HEADERS, ...bearer }),
      { path: "/auth/csrf", headers: { cookie } },
    ];
    for (const { path, ...init } of carriers) {
      const response = await fetch(service.url + path, init);
      assert.ok(response.ok, `${path} answered ${response.status}`);
      assert.equal(response.headers.get("cache-control"), "no-store", path);
    }
  });
});

describe("a 429", () => {
  let service: TestService;
  before(async () => {
    service = await runService({ KYROS_RATE_LIMIT: "1/1h" });
  });
  after(() => service.stop());

  it("carries the headers, the limit's own and Retry-After", async () => {
    await fetch(`${service.url}/protected`);
    const response = await fetch(`${service.url}/protected`);
    assert.equal(response.status, 429);
    assert.equal(((await response.json()) as { code: string }).code, "rate_limited");
    assertEveryHeader(response);
    assert.equal(limitHeaders(response).length, 5);
    assert.equal(response.headers.get("x-ratelimit-remaining"), "0");
    assert.match(response.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
  });
});

describe("GET /docs", () => {
  let service: TestService;
  before(async () => {
    service = await runService();
  });
  after(() => service.stop());

  async function read(): Promise<{ csp: string; nonce: string; html: string }> {
    const response = await fetch(`${service.url}/docs`);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("cache-control"), "no-store");
    const csp = response.headers.get("content-security-policy") ?? "";
    assertEveryHeader(response, csp);
    const nonce = /script-src 'self' 'nonce-([\w-]{22})'/.exec(csp)?.[1];
    assert.ok(nonce !== undefined, csp);
    return { csp, nonce, html: await response.text() };
  }

  it("gives each of its scripts the nonce of its policy", async () => {
    const { csp, nonce, html } = await read();
    const scripts = html.match(/<script\b[^>]*>/g) ?? [];
    assert.equal(scripts.length, 2);
    for (const script of scripts) assert.ok(script.includes(`nonce="${nonce}"`), script);
    assert.doesNotMatch(csp, /unsafe-inline|unsafe-eval|\*/);
    assert.match(csp, /frame-ancestors 'none'/);
  });

  it("has a nonce of its own in each response", async () => {
    const nonces = (await Promise.all(Array.from({ length: 10 }, read))).map(({ nonce }) => nonce);
    assert.equal(new Set(nonces).size, 10);
  });
});
