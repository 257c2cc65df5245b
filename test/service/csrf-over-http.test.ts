import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { TestService } from "./running-service.ts";
import { PASSWORD, runService } from "./running-service.ts";

const ROUTES = [
  { method: "DELETE", path: "/auth/session" },
  { method: "POST", path: "/auth/logout" },
] as const;
const FORM = "application/x-www-form-urlencoded";

let service: TestService;
before(async () => {
  service = await runService();
  await service.createUser("alice");
  await service.createUser("mallory");
});
after(() => service.stop());

interface Refused {
  readonly code: string;
}

async function codeOf(response: Response): Promise<string> {
  return ((await response.json()) as Refused).code;
}

async function isSignedIn(cookie: string): Promise<boolean> {
  return (await fetch(`${service.url}/protected`, { headers: { cookie } })).status === 200;
}

/** The same length and alphabet, one character another. */
function altered(token: string, at: number): string {
  return token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
}

for (const { method, path } of ROUTES) {
  describe(`${method} ${path} on a cookie`, () => {
    let mine: { cookie: string; csrf: string };
    let foreign: { cookie: string; csrf: string };
    before(async () => {
      foreign = await service.browser("mallory");
      mine = await service.browser("alice");
    });

    const send = (headers: Record<string, string>, body?: string) =>
      fetch(service.url + path, { method, headers, ...(body !== undefined && { body }) });

    async function refused(headers: Record<string, string>, body?: string): Promise<void> {
      const response = await send({ cookie: mine.cookie, ...headers }, body);
      assert.equal(response.status, 403);
      assert.equal(response.headers.get("content-type"), "application/problem+json; charset=utf-8");
      assert.equal(await codeOf(response), "csrf_invalid");
      assert.ok(await isSignedIn(mine.cookie), "the session lives on");
    }

    it("refuses the cookie alone", () => refused({}));

    it("refuses the cookie alone from a page of the same origin", () =>
      refused({ "sec-fetch-site": "same-origin", origin: service.url }));

    it("refuses the token in the cookie that GET /auth/csrf sets, without the header", () =>
      refused({ cookie: `${mine.cookie}; csrf_token=${mine.csrf}`, "sec-fetch-site": "same-origin" }));

    it("refuses an empty token", () => refused({ "x-csrf-token": "" }));

    it("refuses another session's token", () =>
      refused({ "x-csrf-token": foreign.csrf, "sec-fetch-site": "same-origin" }));

    it("refuses another session's token in header and cookie alike", () =>
      refused({ cookie: `${mine.cookie}; csrf_token=${foreign.csrf}`, "x-csrf-token": foreign.csrf }));

    it("refuses a token made without a session", async () => {
      const response = await fetch(`${service.url}/auth/csrf`);
      await refused({ "x-csrf-token": ((await response.json()) as { csrf_token: string }).csrf_token });
    });

    it("refuses a token altered in its time, its nonce or its signature", async () => {
      for (const at of [0, 7, 8, 31, 32, 60, mine.csrf.length - 2])
        await refused({ "x-csrf-token": altered(mine.csrf, at) });
    });

    it("refuses a token that is cut, lengthened or doubled", async () => {
      const { csrf } = mine;
      for (const token of [
        csrf.slice(0, -1),
        csrf.slice(1),
        csrf.slice(0, 32),
        `${csrf}A`,
        `${csrf}, ${csrf}`,
      ])
        await refused({ "x-csrf-token": token });
    });

    it("refuses the valid token from a cross-site page", () =>
      refused({ "x-csrf-token": mine.csrf, "sec-fetch-site": "cross-site" }));

    it("refuses the valid token beside a cross-site page that names our origin", () =>
      refused({ "x-csrf-token": mine.csrf, "sec-fetch-site": "cross-site", origin: service.url }));

    it("refuses the valid token with a Sec-Fetch-Site that no browser sends", () =>
      refused({ "x-csrf-token": mine.csrf, "sec-fetch-site": "same-origin, cross-site" }));

    it("refuses the valid token with Origin: null", () =>
      refused({ "x-csrf-token": mine.csrf, origin: "null" }));

    it("refuses the valid token from foreign origins, also those that resemble ours", async () => {
      const { port } = new URL(service.url);
      const foreignOrigins = [
        "https://evil.example",
        `https://127.0.0.1:${port}`,
        "http://127.0.0.1",
        `${service.url}.evil.example`,
      ];
      for (const origin of foreignOrigins) await refused({ "x-csrf-token": mine.csrf, origin });
    });

    it("takes no form: 415, whatever _csrf says", async () => {
      const headers = { cookie: mine.cookie, "content-type": FORM };
      const response = await send(headers, `_csrf=${mine.csrf}`);
      assert.equal(response.status, 415);
      assert.equal(await codeOf(response), "unsupported_media_type");
      assert.ok(await isSignedIn(mine.cookie));
    });

    it("R17: refuses a text/plain body: without the token for that, with it for the type", async () => {
      const body = JSON.stringify({ _csrf: mine.csrf });
      await refused({ "content-type": "text/plain" }, body);
      const headers = { cookie: mine.cookie, "x-csrf-token": mine.csrf, "content-type": "text/plain" };
      const response = await send(headers, body);
      assert.equal(response.status, 415);
      assert.ok(await isSignedIn(mine.cookie));
    });

    it("is not talked into another method", async () => {
      const url = `${service.url}/protected?_method=${method}`;
      const headers = { cookie: mine.cookie, "x-http-method-override": method };
      assert.equal((await fetch(url, { headers })).status, 200);
      assert.ok(await isSignedIn(mine.cookie));
    });

    it("takes cookie and token together, and forgets the cookie", async () => {
      const { cookie, csrf } = await service.browser("alice");
      const response = await send({
        cookie,
        "x-csrf-token": csrf,
        "sec-fetch-site": "same-origin",
        origin: service.url,
      });
      assert.equal(response.status, 204);
      assert.match(response.headers.getSetCookie()[0]!, /^kyros_session=; .*Max-Age=0/);
      assert.equal(await isSignedIn(cookie), false);
    });

    it("records a refusal without the token", async () => {
      const { length } = service.events;
      await refused({ "x-csrf-token": foreign.csrf });
      const rejected = service.events.slice(length).filter(({ name }) => name === "csrf.rejected");
      assert.equal(rejected.length, 1);
      assert.ok(!JSON.stringify(rejected).includes(foreign.csrf));
    });
  });
}

describe("a bearer token", () => {
  it("needs no proof where no cookie comes along", async () => {
    const { access_token } = await service.login("alice");
    const headers = { authorization: `Bearer ${access_token}` };
    const response = await fetch(`${service.url}/auth/logout`, { method: "POST", headers });
    assert.equal(response.status, 204);
    assert.equal((await fetch(`${service.url}/protected`, { headers })).status, 401);
  });

  it("is not exempt beside a session cookie", async () => {
    const { access_token } = await service.login("alice");
    const { cookie } = await service.browser("alice");
    const headers = { authorization: `Bearer ${access_token}`, cookie };
    const response = await fetch(`${service.url}/auth/logout`, { method: "POST", headers });
    assert.equal(response.status, 403);
    assert.equal(await codeOf(response), "csrf_invalid");
  });
});

describe("signing in", () => {
  const signIn = (path: string, headers: Record<string, string>) =>
    fetch(service.url + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ username: "alice", password: PASSWORD }),
    });

  it("is refused from another site's page", async () => {
    const foreign: Record<string, string>[] = [
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
      { origin: "https://evil.example" },
      { origin: "null" },
    ];
    for (const path of ["/auth/session", "/auth/login"]) {
      for (const headers of foreign) {
        const response = await signIn(path, headers);
        assert.equal(response.status, 403, `${path} ${JSON.stringify(headers)}`);
        assert.deepEqual(response.headers.getSetCookie(), []);
        assert.equal(await codeOf(response), "csrf_invalid");
      }
    }
  });

  it("gives another id than the cookie that came along, and ends that one", async () => {
    const { cookie: old } = await service.browser("mallory");
    const response = await signIn("/auth/session", { cookie: old, "sec-fetch-site": "same-origin" });
    assert.equal(response.status, 200);
    const fresh = response.headers.getSetCookie()[0]!.split(";", 1)[0]!;
    assert.notEqual(fresh, old);
    assert.equal(await isSignedIn(old), false);
    assert.ok(await isSignedIn(fresh));
  });

  it("does not adopt an id of the browser's own", async () => {
    const planted = `kyros_session=${"A".repeat(43)}`;
    const response = await signIn("/auth/session", { cookie: planted, "sec-fetch-site": "same-origin" });
    assert.equal(response.status, 200);
    assert.notEqual(response.headers.getSetCookie()[0]!.split(";", 1)[0], planted);
    assert.equal(await isSignedIn(planted), false);
  });
});
