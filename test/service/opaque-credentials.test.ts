import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { rounds } from "../rounds.ts";
import { ask, bearer, fromPage } from "./ask.ts";
import { damaged, everyVariant, lookalikes } from "./credential-variants.ts";
import type { TestService } from "./running-service.ts";
import { runService } from "./running-service.ts";

const RUNS = rounds(150, 50);
const AT_ONCE = 16;

describe("R10: no variant of an opaque credential is one", () => {
  let service: TestService;
  let access: string;
  before(async () => {
    service = await runService();
    await service.createUser("alice");
    access = (await service.login("alice")).access_token;
  });
  after(() => service.stop());

  const hello = async (headers: Record<string, string>) =>
    (await ask(service, "GET", "/protected", headers)).status;
  const makeKey = async (scopes: string[] = []) =>
    (await ask(service, "POST", "/auth/api-keys", bearer(access), { name: "ci", scopes })).body as {
      id: string;
      key: string;
    };
  const basic = (id: string, secret: string) =>
    `Basic ${Buffer.from(`${id}:${encodeURIComponent(secret)}`).toString("base64")}`;

  /** Refuses every variant, whichever way it is shown: the number that the service answers is `refused`. */
  async function refuses(
    text: string,
    refused: number,
    show: (variant: string) => Promise<number>,
    more: readonly string[] = [],
  ): Promise<void> {
    const variants = [...everyVariant(text), ...more];
    for (let at = 0; at < variants.length; at += AT_ONCE) {
      await Promise.all(
        variants.slice(at, at + AT_ONCE).map(async (variant) => {
          assert.equal(await show(variant), refused, JSON.stringify(variant));
        }),
      );
    }
    await fc.assert(
      fc.asyncProperty(damaged(text), async (variant) => {
        assert.equal(await show(variant), refused, variant);
      }),
      { numRuns: RUNS },
    );
  }

  it("refresh tokens", async () => {
    const { access_token, refresh_token } = await service.login("alice");
    const refresh = async (token: string) => {
      const { status, body } = await ask(service, "POST", "/auth/refresh", {}, { refresh_token: token });
      // What is empty or endless is no token by its form; what is one by its form is none of ours.
      if (token === "") return body.code === "validation_failed" ? 401 : status;
      return body.code === "token_invalid" ? status : 0;
    };
    await refuses(refresh_token, 401, refresh, lookalikes(refresh_token));
    assert.equal(await hello(bearer(access_token)), 200, "none of them has ended the session");
    const { status } = await ask(service, "POST", "/auth/refresh", {}, { refresh_token });
    assert.equal(status, 200);
  });

  it("refresh tokens, to be revoked or inspected", async () => {
    const { access_token, refresh_token } = await service.login("alice");
    const inspector = await makeKey(["introspect"]);
    const inspect = async (token: string) => {
      const form = new URLSearchParams({ token });
      assert.ok([200, 400].includes((await ask(service, "POST", "/oauth/revoke", {}, form)).status));
      const seen = await ask(service, "POST", "/oauth/introspect", { "x-api-key": inspector.key }, form);
      return seen.status === 400 || seen.body.active === false ? 401 : 200;
    };
    await refuses(refresh_token, 401, inspect, lookalikes(refresh_token));
    assert.equal(await hello(bearer(access_token)), 200, "none of them has ended the session");
    assert.equal(await inspect(refresh_token), 401, "it was revoked before it was inspected");
    assert.equal(await hello(bearer(access_token)), 401);
  });

  it("API keys, in X-API-Key and as a bearer", async () => {
    const { key } = await makeKey();
    assert.equal(await hello({ "x-api-key": key }), 200);
    await refuses(key, 401, (variant) => hello({ "x-api-key": variant }));
    await refuses(key, 401, (variant) => hello(bearer(variant)));
  });

  it("API keys, as a client's secret, and the client's id", async () => {
    const { id, key } = await makeKey();
    const grant = async (authorization: string) => {
      const form = new URLSearchParams({ grant_type: "client_credentials" });
      return (await ask(service, "POST", "/oauth/token", { authorization }, form)).status;
    };
    assert.equal(await grant(basic(id, key)), 200);
    await refuses(key, 401, (variant) => grant(basic(id, variant)));
    await refuses(id, 401, (variant) => grant(basic(encodeURIComponent(variant), key)));
    await refuses(basic(id, key).slice("Basic ".length), 401, (variant) => grant(`Basic ${variant}`));
  });

  it("session cookies", async () => {
    const { cookie } = await service.browser("alice");
    const [name, secret] = cookie.split("=") as [string, string];
    const show = (variant: string) => hello({ cookie: `${name}=${variant}` });
    assert.equal(await show(secret), 200);
    // A semicolon ends a cookie: what is before it is another text.
    await refuses(secret, 401, (variant) => show(variant.replaceAll(";", "!")));
    assert.equal(await hello({ cookie: `${name.toUpperCase()}=${secret}` }), 401);
    assert.equal(await hello({ cookie: `${cookie}; ${cookie}` }), 401);
    assert.equal(await show(secret), 200);
  });

  it("CSRF tokens", async () => {
    const browser = await service.browser("alice");
    const end = async (csrf: string) => {
      const path = "/auth/sessions/01890000-0000-7000-8000-000000000000";
      return (await ask(service, "DELETE", path, fromPage({ ...browser, csrf }))).status;
    };
    assert.equal(await end(browser.csrf), 404);
    await refuses(browser.csrf, 403, end);
    assert.equal(await end(browser.csrf), 404);
  });

  it("R11: access tokens, before they are revoked and after", async () => {
    const { access_token } = await service.login("alice");
    assert.equal(await hello(bearer(access_token)), 200);
    await refuses(access_token, 401, (variant) => hello(bearer(variant)));
    assert.equal((await ask(service, "POST", "/auth/logout", bearer(access_token))).status, 204);
    await refuses(access_token, 401, (variant) => hello(bearer(variant)));
    assert.equal(await hello(bearer(access_token)), 401);
  });
});
