import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { samplePasskey } from "../../src/testing/factor-samples.ts";
import { ask, bearer } from "./ask.ts";
import type { TestService } from "./running-service.ts";
import { runService } from "./running-service.ts";

describe("another user's objects", () => {
  let service: TestService;
  let aliceId: string;
  let alice: { authorization: string };
  let mallory: { authorization: string };
  let key: { id: string; key: string };
  let sessionId: string;
  let passkeyId: string;
  before(async () => {
    service = await runService();
    aliceId = await service.createUser("alice");
    await service.createUser("mallory");
    alice = bearer((await service.login("alice")).access_token);
    mallory = bearer((await service.login("mallory")).access_token);
    key = (await ask(service, "POST", "/auth/api-keys", alice, { name: "ci" })).body;
    const { items } = (await ask(service, "GET", "/auth/sessions", alice)).body;
    sessionId = items[0].id;
    const passkey = samplePasskey(1, { userId: aliceId });
    await service.stores.factors.addPasskey(passkey, []);
    passkeyId = passkey.id;
  });
  after(() => service.stop());

  const keysOf = async (headers: Record<string, string>) =>
    (await ask(service, "GET", "/auth/api-keys", headers)).body.items as { id: string }[];
  const assertIntact = async () => {
    assert.equal((await ask(service, "GET", "/protected", alice)).status, 200);
    assert.equal((await ask(service, "GET", "/protected", { "x-api-key": key.key })).status, 200);
    assert.deepEqual(
      (await keysOf(alice)).map(({ id }) => id),
      [key.id],
    );
    const { body } = await ask(service, "GET", "/auth/user", alice);
    assert.deepEqual([body.role, body.email, body.mfa.passkeys], ["user", "alice@example.org", 1]);
  };

  it("R20: answer as ones that never were, on every route with an id, and stay intact", async () => {
    /** What an id means on a route, and what the answer is. A new route with an id fails until it stands here. */
    const meaning: readonly [prefix: string, id: string, status: number][] = [
      ["/auth/api-keys/{id}", key.id, 404],
      ["/auth/sessions/{id}", sessionId, 404],
      ["/auth/passkeys/{id}", passkeyId, 404],
      ["/admin/users/{id}", aliceId, 403],
    ];
    const bodies: Readonly<Record<string, object>> = {
      "post /auth/api-keys/{id}/rotate": { overlap: "0" },
      "patch /admin/users/{id}": { role: "admin", email: null },
    };
    const { paths } = (await ask(service, "GET", "/openapi.json")).body as {
      paths: Record<string, Record<string, unknown>>;
    };
    let tried = 0;
    for (const [path, operations] of Object.entries(paths)) {
      if (!path.includes("{")) continue;
      const known = meaning.find(([prefix]) => path === prefix || path.startsWith(`${prefix}/`));
      assert.ok(known, `nobody has said what the id of ${path} means`);
      const [, id, status] = known;
      for (const method of Object.keys(operations)) {
        const body = bodies[`${method} ${path}`];
        const answer = await ask(service, method.toUpperCase(), path.replace("{id}", id), mallory, body);
        assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
        assert.doesNotMatch(JSON.stringify(answer.body), /alice|127\.0\.0\.1|"ci"/);
        tried += 1;
      }
    }
    assert.ok(tried >= 6, `${tried} operations`);
    await assertIntact();
  });

  it("R19: are not made by naming another user, without a session or by a key", async () => {
    const foreign = [
      { userId: aliceId },
      { user_id: aliceId },
      { owner: "alice" },
      { ownerId: aliceId },
      { owner_id: aliceId },
      { user: { id: aliceId } },
    ];
    const ways: readonly [headers: Record<string, string>, status: number][] = [
      [{}, 401],
      [{ "x-api-key": "" }, 401],
      [{ "x-api-key": `kyros_${"a".repeat(12)}_${"b".repeat(43)}_000000` }, 401],
      [{ "x-api-key": key.key }, 403],
      [bearer(key.key), 403],
      [mallory, 400],
    ];
    for (const [headers, status] of ways) {
      for (const fields of foreign) {
        const what = JSON.stringify([headers, fields]);
        const query = new URLSearchParams(fields as Record<string, string>).toString();
        const made = await ask(service, "POST", "/auth/api-keys", headers, { name: "x", ...fields });
        assert.equal(made.status, status, what);
        const path = `/auth/api-keys/${key.id}`;
        const rotated = await ask(service, "POST", `${path}/rotate`, headers, fields);
        assert.equal(rotated.status, status, what);
        const revoked = await ask(service, "DELETE", `${path}?${query}`, headers);
        assert.equal(revoked.status, status === 400 ? 404 : status, what);
      }
    }
    assert.deepEqual(await keysOf(mallory), []);
    await assertIntact();
  });
});
