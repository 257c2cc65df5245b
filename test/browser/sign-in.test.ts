import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { after, before, describe, it } from "node:test";
import type { Page } from "puppeteer-core";
import type { TestService } from "../service/running-service.ts";
import { PASSWORD, runService } from "../service/running-service.ts";
import type { TestBrowser } from "./chromium.ts";
import { launchChromium, NO_CHROMIUM } from "./chromium.ts";
import type { TlsFront } from "./tls-front.ts";
import { startTlsFront } from "./tls-front.ts";

const SESSION = "__Host-kyros_session";

describe("a browser's session, in Chromium over TLS", { skip: NO_CHROMIUM }, () => {
  let service: TestService;
  let front: TlsFront;
  let foreign: TlsFront;
  let chromium: TestBrowser;
  let page: Page;
  before(async () => {
    service = await runService({ KYROS_TRUST_PROXY: "127.0.0.1", KYROS_FORCE_HTTPS: "on" });
    await service.createUser("alice");
    front = await startTlsFront({ host: "localhost", target: service.url });
    // Another host is another site; ports would not make one.
    foreign = await startTlsFront({ host: "127.0.0.1", page: forms });
    chromium = await launchChromium([front, foreign]);
    page = await chromium.browser.newPage();
    await page.goto(`${front.origin}/docs`);
  });
  after(async () => {
    await chromium?.close();
    await foreign?.stop();
    await front?.stop();
    await service?.stop();
  });

  /** A page of another site whose form is sent to the service, to the path that follows `#`'s place in its own. */
  function forms(request: IncomingMessage, response: ServerResponse): boolean {
    const action = front.origin + request.url!.replace(/^\/form-to/, "");
    response.writeHead(200, { "content-type": "text/html" });
    response.end(
      `<!doctype html><form method="post" action="${action}">
       <input name="username" value="alice"><input name="password" value="${PASSWORD}">
       <button id="send">Win a prize</button></form>`,
    );
    return true;
  }

  /** A request by a script of the open page. */
  function send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    return page.evaluate(
      async (method, path, text, headers) => {
        const response = await fetch(path, {
          method,
          headers: { ...(text !== null && { "content-type": "application/json" }), ...headers },
          body: text,
        });
        const answer = await response.text();
        return { status: response.status, body: answer === "" ? undefined : JSON.parse(answer) };
      },
      method,
      path,
      body === undefined ? null : JSON.stringify(body),
      headers,
    );
  }

  async function sessionCookie() {
    return (await chromium.browser.cookies()).find(({ name }) => name === SESSION);
  }

  it("begins with a password, in a cookie that scripts cannot read and only TLS carries", async () => {
    const { status } = await send("POST", "/auth/session", { username: "alice", password: PASSWORD });
    assert.equal(status, 200);
    const cookie = await sessionCookie();
    assert.equal(cookie?.httpOnly, true);
    assert.equal(cookie?.secure, true);
    assert.equal(cookie?.sameSite, "Lax");
    assert.doesNotMatch(String(await page.evaluate("document.cookie")), /kyros_session/);
    assert.deepEqual((await send("GET", "/protected")).body, { message: "Hello, alice!" });
  });

  it("changes nothing without the token of its own, and changes with it", async () => {
    const change = (headers: Record<string, string> = {}) =>
      send("POST", "/auth/api-keys", { name: "from the page" }, headers);
    const refused = await change();
    assert.deepEqual([refused.status, refused.body.code], [403, "csrf_invalid"]);
    const { csrf_token } = (await send("GET", "/auth/csrf")).body;
    const forged = await change({ "x-csrf-token": `${csrf_token.slice(0, -1)}x` });
    assert.deepEqual([forged.status, forged.body.code], [403, "csrf_invalid"]);
    assert.equal((await change({ "x-csrf-token": csrf_token })).status, 201);
  });

  async function postFrom(path: string) {
    const other = await chromium.browser.newPage();
    await other.goto(`${foreign.origin}/form-to${path}`);
    const [answer] = await Promise.all([other.waitForNavigation(), other.click("#send")]);
    assert.equal(answer!.url(), front.origin + path);
    const body = (await answer!.json()) as { code: string };
    await other.close();
    return { status: answer!.status(), code: body.code };
  }

  it("is not touched by another site's form: neither used nor replaced", async () => {
    const before = await sessionCookie();
    // The cookie stays at home (SameSite), and what needs none is refused for where it comes from.
    assert.deepEqual(await postFrom("/auth/login"), { status: 403, code: "csrf_invalid" });
    const foreignLogout = await postFrom("/auth/logout");
    assert.ok([401, 403, 415].includes(foreignLogout.status), JSON.stringify(foreignLogout));
    assert.equal((await sessionCookie())?.value, before?.value);
    assert.equal((await send("GET", "/protected")).status, 200);
    assert.ok(service.events.some(({ name, path }) => name === "csrf.rejected" && path === "/auth/login"));
  });

  it("ends with its cookie", async () => {
    const { csrf_token } = (await send("GET", "/auth/csrf")).body;
    assert.equal(
      (await send("DELETE", "/auth/session", undefined, { "x-csrf-token": csrf_token })).status,
      204,
    );
    assert.equal(await sessionCookie(), undefined);
    assert.equal((await send("GET", "/protected")).status, 401);
  });
});
