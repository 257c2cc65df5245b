import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, before, describe, it } from "node:test";
import type { Page } from "puppeteer-core";
import type { TestService } from "../service/running-service.ts";
import { PASSWORD, runService } from "../service/running-service.ts";
import type { TestBrowser } from "./chromium.ts";
import { launchChromium, NO_CHROMIUM } from "./chromium.ts";

/** A port that is free now: passkeys belong to an origin, which has to be known before the service starts. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, "close");
  return port;
}

describe("passkeys, in Chromium with its virtual authenticator", { skip: NO_CHROMIUM }, () => {
  let service: TestService;
  let chromium: TestBrowser;
  let page: Page;
  before(async () => {
    const port = await freePort();
    const origin = `http://localhost:${port}`;
    service = await runService({ KYROS_PORT: String(port), KYROS_PASSKEY_ORIGINS: origin });
    await service.createUser("alice");
    chromium = await launchChromium([]);
    page = await chromium.browser.newPage();
    await page.goto(`${origin}/docs`);
    const devtools = await page.createCDPSession();
    await devtools.send("WebAuthn.enable");
    await devtools.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
  });
  after(async () => {
    await chromium?.close();
    await service?.stop();
  });

  /** A request by a script of the open page, with the CSRF proof of its session. */
  function send(method: string, path: string, body: unknown = {}) {
    return page.evaluate(
      async (method, path, body) => {
        const csrf = (await (await fetch("/auth/csrf")).json()) as { csrf_token: string };
        const response = await fetch(path, {
          method,
          headers: { "content-type": "application/json", "x-csrf-token": csrf.csrf_token },
          ...(body !== null && { body: JSON.stringify(body) }),
        });
        const text = await response.text();
        return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
      },
      method,
      path,
      body as object,
    );
  }

  /** Scripts of the page as text, since what they call is known to browsers alone. */
  const inPage = (script: string, argument: unknown): Promise<unknown> =>
    page.evaluate(`(${script})(${JSON.stringify(argument)})`);
  const create = (options: unknown) =>
    inPage(
      `async (json) => (await navigator.credentials.create({
        publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(json),
      })).toJSON()`,
      options,
    );
  const get = (options: unknown) =>
    inPage(
      `async (json) => (await navigator.credentials.get({
        publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(json),
      })).toJSON()`,
      options,
    );

  it("are added by a signed-in user, and sign in alone and as a second factor", async () => {
    const credentials = { username: "alice", password: PASSWORD };
    assert.equal((await send("POST", "/auth/session", credentials)).status, 200);
    const wanted = await send("POST", "/auth/passkeys/options", null);
    assert.equal(wanted.status, 200, JSON.stringify(wanted.body));
    const added = await send("POST", "/auth/passkeys", {
      name: "this one",
      response: await create(wanted.body),
    });
    assert.equal(added.status, 201, JSON.stringify(added.body));
    assert.equal(added.body.recovery_codes.length, 10);
    assert.equal((await send("DELETE", "/auth/session", null)).status, 204);

    const alone = await send("POST", "/auth/passkeys/login/options", null);
    const signedIn = await send("POST", "/auth/passkeys/login", {
      response: await get(alone.body),
      session: "browser",
    });
    assert.deepEqual([signedIn.status, signedIn.body.username], [200, "alice"]);
    const { body: user } = await send("GET", "/auth/user", null);
    assert.deepEqual([user.username, user.mfa.passkeys], ["alice", 1]);
    assert.equal((await send("DELETE", "/auth/session", null)).status, 204);

    const first = await send("POST", "/auth/session", credentials);
    assert.equal(first.body.code, "mfa_required");
    const { mfa_token } = first.body;
    const asked = await send("POST", "/auth/passkeys/login/options", { mfa_token });
    const response = await get(asked.body);
    const second = await send("POST", "/auth/mfa/verify", { mfa_token, method: "passkey", response });
    assert.deepEqual([second.status, second.body.username], [200, "alice"]);
  });

  it("show a QR code that the browser can draw", async () => {
    const { body } = await send("POST", "/auth/mfa/totp", null);
    const elsewhere = await chromium.browser.newPage();
    const width = await elsewhere.evaluate(`(async (source) => {
      const image = new Image();
      image.src = source;
      await image.decode();
      return image.naturalWidth;
    })(${JSON.stringify(body.qr)})`);
    assert.ok(Number(width) > 0);
  });
});
