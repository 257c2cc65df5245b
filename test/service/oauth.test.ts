import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ask, bearer } from "./ask.ts";
import type { TestService } from "./running-service.ts";
import { runService } from "./running-service.ts";

interface Key {
  readonly id: string;
  readonly key: string;
}

describe("OAuth", () => {
  let service: TestService;
  let alice: { authorization: string };
  let client: Key;
  let inspector: Key;
  before(async () => {
    service = await runService();
    await service.createUser("alice");
    alice = bearer((await service.login("alice")).access_token);
    client = await make(["jobs:*", "logs:read"]);
    inspector = await make(["introspect"]);
  });
  after(() => service.stop());

  async function make(scopes: string[]): Promise<Key> {
    return (await ask(service, "POST", "/auth/api-keys", alice, { name: "worker", scopes })).body;
  }
  const basic = (id: string, secret: string) => ({
    authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString("base64")}`,
  });
  const form = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
    ask(service, "POST", path, headers, new URLSearchParams(fields));
  const token = (fields: Record<string, string>, headers?: Record<string, string>) =>
    form("/oauth/token", { grant_type: "client_credentials", ...fields }, headers);
  const asForm = ({ id, key }: Key) => ({ client_id: id, client_secret: key });
  const introspect = (text: string, headers: Record<string, string> = { "x-api-key": inspector.key }) =>
    form("/oauth/introspect", { token: text }, headers);
  const revoke = (fields: Record<string, string>) => form("/oauth/revoke", fields);
  const hello = (text: string) => ask(service, "GET", "/protected", bearer(text));

  it("grants client_credentials to a key in Basic and in the form", async () => {
    const publicId = client.key.split("_")[1]!;
    for (const answer of [
      await token({}, basic(client.id, client.key)),
      await token({}, basic(publicId, client.key)),
      await token(asForm(client)),
    ]) {
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      assert.equal(answer.headers.get("cache-control"), "no-store");
      const { access_token, expires_in, ...rest } = answer.body;
      // Counted from the whole second that the token was issued in.
      assert.equal([7199, 7200].includes(expires_in), true);
      assert.deepEqual(rest, { token_type: "bearer", scope: "jobs:* logs:read" });
      assert.deepEqual((await hello(access_token)).body, { message: "Hello, alice!" });
    }
    const { body } = await token({ ...asForm(client), scope: "jobs:run" });
    assert.equal(body.scope, "jobs:run");
    assert.equal("refresh_token" in body, false);
    const ignored = await token({ ...asForm(client), audience: "x" });
    assert.equal(ignored.status, 200, "unknown parameters are ignored");
  });

  it("refuses a client that proves nothing, always alike: invalid_client", async () => {
    const revoked = await make([]);
    await ask(service, "DELETE", `/auth/api-keys/${revoked.id}`, alice);
    const answers = [
      await token({}),
      await token({ client_id: client.id }),
      await token({ client_id: inspector.id, client_secret: client.key }),
      await token({ client_id: client.id, client_secret: "wrong" }),
      await token(asForm(revoked)),
      await token({}, basic(client.id, "wrong")),
      await token({}, { authorization: "Basic %%%" }),
      await token({}, { authorization: "Basic" }),
      await token({ client_secret: client.key }, basic(client.id, client.key)),
      await token({ client_id: inspector.id }, basic(client.id, client.key)),
    ];
    for (const { status, headers, body } of answers) {
      assert.equal(status, 401);
      assert.match(headers.get("www-authenticate") ?? "", /^Basic realm=/);
      assert.equal(headers.get("cache-control"), "no-store");
      assert.deepEqual({ ...body, instance: "" }, { ...answers[0]!.body, instance: "" });
    }
    assert.equal(answers[0]!.body.error, "invalid_client");
  });

  it("refuses more scope than the key has, other grants and none", async () => {
    for (const scope of ["admin:users:read", "jobs:run logs:write", "*", "introspect"]) {
      const { status, body } = await token({ ...asForm(client), scope });
      assert.equal(status, 400, scope);
      assert.equal(body.error, "invalid_scope", scope);
    }
    const password = await form("/oauth/token", { grant_type: "password", ...asForm(client) });
    assert.deepEqual([password.status, password.body.error], [400, "unsupported_grant_type"]);
    const none = await form("/oauth/token", asForm(client));
    assert.deepEqual([none.status, none.body.error], [400, "invalid_request"]);
    const json = { grant_type: "client_credentials", ...asForm(client) };
    assert.equal((await ask(service, "POST", "/oauth/token", {}, json)).status, 415);
  });

  it("issues tokens that end with their key, and manage no keys", async () => {
    const key = await make(["*"]);
    const { access_token } = (await token(asForm(key))).body;
    assert.equal((await ask(service, "GET", "/auth/api-keys", bearer(access_token))).status, 403);
    assert.equal((await ask(service, "POST", "/auth/logout", bearer(access_token))).status, 403);
    assert.equal((await hello(access_token)).status, 200);
    await ask(service, "DELETE", `/auth/api-keys/${key.id}`, alice);
    assert.equal((await hello(access_token)).body.code, "token_revoked");
  });

  it("revokes a service's token alone", async () => {
    const [one, other] = [(await token(asForm(client))).body, (await token(asForm(client))).body];
    const revoked = await revoke({ token: one.access_token, token_type_hint: "access_token" });
    assert.deepEqual([revoked.status, revoked.body], [200, undefined]);
    assert.equal((await hello(one.access_token)).body.code, "token_revoked");
    assert.equal((await hello(other.access_token)).status, 200);
    assert.equal((await token(asForm(client))).status, 200);
  });

  it("tells of the revocation of a service's token, once, and of none that was none", async () => {
    const { access_token } = (await token(asForm(client))).body;
    const told = service.events.length;
    await revoke({ token: access_token });
    await revoke({ token: access_token });
    await revoke({ token: `${access_token}x` });
    const { jti } = JSON.parse(Buffer.from(access_token.split(".")[1], "base64url").toString());
    const outs = service.events.slice(told).filter(({ name }) => name === "auth.logout");
    assert.deepEqual(
      outs.map(({ outcome, subject, details }) => ({ outcome, subject, details })),
      [{ outcome: "success", subject: client.id, details: { token_id: jti } }],
    );
    assert.equal(JSON.stringify(outs).includes(access_token), false);
  });

  it("revokes a user's access or refresh token with its session", async () => {
    for (const kind of ["access_token", "refresh_token"] as const) {
      const pair = await service.login("alice");
      assert.equal((await revoke({ token: pair[kind] })).status, 200);
      assert.equal((await hello(pair.access_token)).status, 401, kind);
      const { refresh_token } = pair;
      assert.equal((await ask(service, "POST", "/auth/refresh", {}, { refresh_token })).status, 401, kind);
      assert.equal((await revoke({ token: pair[kind] })).status, 200, "again");
    }
    assert.equal((await revoke({ token: "no token at all" })).status, 200);
    assert.equal((await revoke({})).status, 400);
    assert.equal((await ask(service, "GET", "/protected", alice)).status, 200);
  });

  it("inspects active tokens of users and services", async () => {
    const pair = await service.login("alice");
    const { body: user } = await introspect(pair.access_token);
    assert.equal(user.active, true);
    assert.deepEqual([user.username, user.role, user.token_type], ["alice", "user", "bearer"]);
    assert.equal(user.exp - user.iat, 7200);
    const refresh = await introspect(pair.refresh_token);
    assert.deepEqual([refresh.body.active, refresh.body.sub], [true, user.sub]);
    assert.equal(refresh.headers.get("cache-control"), "no-store");

    const { access_token } = (await token({ ...asForm(client), scope: "jobs:run" })).body;
    for (const headers of [basic(inspector.id, inspector.key), bearer(inspector.key)]) {
      const { body } = await introspect(access_token, headers);
      assert.deepEqual([body.active, body.client_id, body.scope], [true, client.id, "jobs:run"]);
    }
    const inForm = await form("/oauth/introspect", { token: access_token, ...asForm(inspector) });
    assert.equal(inForm.body.active, true);
  });

  it("tells nothing but inactive of tokens that do not count", async () => {
    const ended = await service.login("alice");
    await ask(service, "POST", "/auth/logout", bearer(ended.access_token));
    const used = await service.login("alice");
    await ask(service, "POST", "/auth/refresh", {}, { refresh_token: used.refresh_token });
    const { access_token: revoked } = (await token(asForm(client))).body;
    await revoke({ token: revoked });
    const dead = [ended.access_token, ended.refresh_token, used.refresh_token, revoked];
    for (const text of [...dead, "nonsense", "A".repeat(43), `${used.access_token}x`, client.key]) {
      const { status, body } = await introspect(text);
      assert.equal(status, 200);
      assert.deepEqual(body, { active: false });
    }
  });

  it("inspects for keys with the scope alone", async () => {
    const { access_token } = await service.login("alice");
    const without = await introspect(access_token, { "x-api-key": client.key });
    assert.deepEqual([without.status, without.body.error], [403, "insufficient_scope"]);
    assert.equal("active" in without.body, false);
    for (const headers of [
      {},
      bearer(access_token),
      { "x-api-key": "wrong" },
      basic(inspector.id, client.key),
    ]) {
      const { status, body } = await introspect(access_token, headers as Record<string, string>);
      assert.deepEqual([status, body.error], [401, "invalid_client"]);
    }
  });
});
