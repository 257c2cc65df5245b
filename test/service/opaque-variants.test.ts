import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Answer } from "./ask.ts";
import { ask, bearer } from "./ask.ts";
import { variantsOf } from "./opaque-variants.ts";
import type { TestService } from "./running-service.ts";
import { runService } from "./running-service.ts";

/** Asks about so many at once. */
const AT_ONCE = 16;

describe("R10: a truncated, extended, case-changed or re-encoded", () => {
  let service: TestService;
  before(async () => {
    service = await runService();
    await service.createUser("alice");
  });
  after(() => service.stop());

  /** Every variant is refused, and the credential itself counts after that, and before unless that would use it up. */
  async function assertOnlyItself(
    text: string,
    show: (text: string) => Promise<Answer>,
    refused: { readonly statuses: readonly number[]; readonly codes: readonly string[] },
    { granted = 200, isSingleUse = false } = {},
  ): Promise<void> {
    if (!isSingleUse) assert.equal((await show(text)).status, granted, "before");
    const variants = [...variantsOf(text)];
    for (let at = 0; at < variants.length; at += AT_ONCE) {
      const batch = variants.slice(at, at + AT_ONCE);
      const answers = await Promise.all(batch.map(([, variant]) => show(variant)));
      for (const [n, { status, body }] of answers.entries()) {
        const how = batch[n]![0];
        assert.ok(refused.statuses.includes(status), `${how}: ${status}`);
        assert.ok(refused.codes.includes(body.error ?? body.code), `${how}: ${JSON.stringify(body)}`);
      }
    }
    assert.equal((await show(text)).status, granted, "after");
  }

  const unauthenticated = { statuses: [401], codes: ["unauthenticated"] };
  const hello = (headers: Record<string, string>) => ask(service, "GET", "/protected", headers);
  const makeKey = async (): Promise<{ id: string; key: string }> => {
    const { access_token } = await service.login("alice");
    return (await ask(service, "POST", "/auth/api-keys", bearer(access_token), { name: "key" })).body;
  };

  it("session cookie is refused", async () => {
    const { cookie } = await service.browser("alice");
    const [name, secret] = cookie.split("=") as [string, string];
    await assertOnlyItself(secret, (text) => hello({ cookie: `${name}=${text}` }), unauthenticated);
  });

  it("CSRF token is refused", async () => {
    const { cookie, csrf } = await service.browser("alice");
    const show = (token: string) =>
      ask(service, "DELETE", "/auth/sessions", { cookie, "x-csrf-token": token });
    await assertOnlyItself(csrf, show, { statuses: [403], codes: ["csrf_invalid"] }, { granted: 204 });
  });

  it("refresh token is refused", async () => {
    const { refresh_token } = await service.login("alice");
    const show = (text: string) => ask(service, "POST", "/auth/refresh", {}, { refresh_token: text });
    const refused = { statuses: [401, 400], codes: ["token_invalid", "validation_failed"] };
    await assertOnlyItself(refresh_token, show, refused, { isSingleUse: true });
  });

  it("API key is refused in X-API-Key", async () => {
    const { key } = await makeKey();
    await assertOnlyItself(key, (text) => hello({ "x-api-key": text }), unauthenticated);
  });

  it("API key is refused as a bearer", async () => {
    const { key } = await makeKey();
    await assertOnlyItself(key, (text) => hello(bearer(text)), {
      statuses: [401],
      // What no longer looks like a key is judged as a token.
      codes: ["unauthenticated", "token_invalid"],
    });
  });

  it("API key is refused as a client's secret", async () => {
    const { id, key } = await makeKey();
    const show = (secret: string) =>
      ask(
        service,
        "POST",
        "/oauth/token",
        {},
        new URLSearchParams({ grant_type: "client_credentials", client_id: id, client_secret: secret }),
      );
    await assertOnlyItself(key, show, { statuses: [401], codes: ["invalid_client"] });
  });
});
