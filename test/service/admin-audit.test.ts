import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ask, bearer } from "./ask.ts";
import type { TestService } from "./running-service.ts";
import { runService } from "./running-service.ts";

describe("GET /admin/audit", () => {
  let service: TestService;
  let admin: { authorization: string };
  let aliceId: string;
  before(async () => {
    service = await runService();
    await service.createUser("root", "admin");
    aliceId = await service.createUser("alice");
    admin = bearer((await service.login("root")).access_token);
    for (let n = 0; n < 4; n += 1) await service.login("alice");
  });
  after(() => service.stop());

  const get = (query = "", headers: Record<string, string> = admin) =>
    ask(service, "GET", `/admin/audit${query}`, headers);
  const types = (items: { type: string }[]) => items.map(({ type }) => type);

  it("is for admins alone", async () => {
    assert.equal((await get("", {})).status, 401);
    assert.equal((await get("", bearer((await service.login("alice")).access_token))).status, 403);
  });

  it("shows the newest first, whole, in the contract's shape", async () => {
    const { status, body, headers } = await get(`?limit=2&type=auth.login.succeeded&user=${aliceId}`);
    assert.equal(status, 200);
    assert.equal(headers.get("cache-control"), "no-store");
    assert.deepEqual(Object.keys(body), ["items", "next_cursor"]);
    const [first] = body.items;
    assert.equal(first.type, "auth.login.succeeded");
    assert.deepEqual(first.actor, { kind: "user", id: aliceId, name: "alice" });
    assert.deepEqual([first.method, first.path, first.address], ["POST", "/auth/login", "127.0.0.1"]);
    assert.match(first.at, /^\d{4}-\d\d-\d\dT.*Z$/);
    assert.ok(body.items[0].seq > body.items[1].seq);
  });

  it("walks all pages, each entry once, by a cursor that is bound to its filters", async () => {
    const query = `?limit=2&user=${aliceId}`;
    const all = (await get(`?limit=200&user=${aliceId}`)).body;
    assert.equal(all.next_cursor, null);
    const seen: number[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const { body } = await get(`${query}${cursor && `&cursor=${cursor}`}`);
      seen.push(...body.items.map(({ seq }: { seq: number }) => seq));
      cursor = body.next_cursor;
    }
    assert.deepEqual(
      seen,
      all.items.map(({ seq }: { seq: number }) => seq),
    );
    const given = (await get(query)).body.next_cursor as string;
    const [at, seq, mac] = given.split(".");
    for (const forged of [
      `?limit=2&cursor=${given}`,
      `?limit=2&user=root&cursor=${given}`,
      `${query}&type=auth.logout&cursor=${given}`,
      `${query}&cursor=${at}.${Number(seq) - 1}.${mac}`,
      `${query}&cursor=${Number(at) + 1}.${seq}.${mac}`,
      `${query}&cursor=nonsense`,
    ]) {
      const { status, body } = await get(forged);
      assert.equal(status, 400, forged);
      assert.equal(body.code, "validation_failed");
      assert.equal(body.errors[0].field, "cursor");
    }
    assert.equal((await get(`?limit=3&user=${aliceId}&cursor=${given}`)).status, 200);
  });

  it("filters by time, half open", async () => {
    const { body } = await get("?limit=200");
    const middle = body.items[3].at as string;
    const from = (await get(`?limit=200&from=${middle}`)).body.items;
    const to = (await get(`?limit=200&to=${middle}`)).body.items;
    assert.ok(from.every(({ at }: { at: string }) => at >= middle));
    assert.ok(to.every(({ at }: { at: string }) => at < middle));
    const known = new Set(body.items.map(({ seq }: { seq: number }) => seq));
    const both = [...from, ...to].filter(({ seq }: { seq: number }) => known.has(seq));
    assert.equal(both.length, body.items.length);
  });

  it("shows all of a user's entries by name, in any spelling, as by id: failed sign-ins too", async () => {
    const credentials = { username: "ALICE", password: "not her password" };
    assert.equal((await ask(service, "POST", "/auth/login", {}, credentials)).status, 401);
    const byId = (await get(`?limit=200&user=${aliceId}`)).body.items;
    assert.equal(types(byId)[0], "auth.login.failed");
    assert.ok(types(byId).includes("auth.login.succeeded"));
    for (const name of ["alice", "Alice", "%EF%BD%81lice"]) {
      assert.deepEqual((await get(`?limit=200&user=${name}`)).body.items, byId, name);
    }
    await service.createUser(aliceId);
    assert.deepEqual(
      (await get(`?limit=200&user=${aliceId}`)).body.items,
      byId,
      "a name that reads like her id",
    );
    await ask(service, "POST", "/auth/login", {}, { ...credentials, username: "Nobody" });
    for (const name of ["Nobody", "nobody"]) {
      assert.deepEqual(types((await get(`?user=${name}`)).body.items), ["auth.login.failed"], name);
    }
  });

  it("refuses filters that it does not know", async () => {
    const wrong = [
      "type=nonsense",
      "from=yesterday",
      "to=2026-13-01T00:00:00Z",
      "from=2026-02-30T00:00:00Z",
      "to=2026-01-31T24:00:00Z",
      "limit=0",
      "limit=201",
      "x=1",
      "user=",
      "user=%00",
      "user=a%1Bb",
    ];
    for (const query of wrong) {
      const { status, body } = await get(`?${query}`);
      assert.equal(status, 400, query);
      assert.equal(body.code, "validation_failed");
    }
  });

  it("writes nothing by being read", async () => {
    const before = (await get("?limit=1")).body.items[0].seq;
    assert.equal((await get("?limit=1")).body.items[0].seq, before);
    assert.deepEqual(types((await get("?type=user.created")).body.items), []);
  });
});
