import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { systemRandom, uuidv7 } from "../../src/kernel/random.ts";
import { ask, bearer, fromPage } from "./ask.ts";
import type { TestService } from "./running-service.ts";
import { PASSWORD, runService } from "./running-service.ts";

const NEW_PASSWORD = "quite another horse and staple";
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

describe("sessions", () => {
  let service: TestService;
  before(async () => {
    service = await runService();
  });
  after(() => service.stop());

  const hello = (headers: Record<string, string>) => ask(service, "GET", "/protected", headers);
  const refresh = (token: string) => ask(service, "POST", "/auth/refresh", {}, { refresh_token: token });
  const list = async (headers: Record<string, string>) =>
    (await ask(service, "GET", "/auth/sessions", headers)).body.items as {
      id: string;
      device: string;
      current: boolean;
    }[];
  const currentOf = async (token: string) => (await list(bearer(token))).find((one) => one.current)!.id;
  const change = (headers: Record<string, string>, current: string, next: string) =>
    ask(service, "POST", "/auth/password", headers, { current_password: current, new_password: next });
  const signIn = (username: string, password: string) =>
    ask(service, "POST", "/auth/login", {}, { username, password });

  it("end at logout with their access and refresh tokens, the refreshed ones too", async () => {
    await service.createUser("lena");
    const first = await service.login("lena");
    const other = await service.login("lena");
    const { body: second } = await refresh(first.refresh_token);
    const out = await ask(service, "POST", "/auth/logout", bearer(second.access_token));
    assert.equal(out.status, 204);
    for (const token of [first.access_token, second.access_token]) {
      const refused = await hello(bearer(token));
      assert.equal(refused.status, 401);
      assert.equal(refused.body.code, "token_revoked");
      assert.match(refused.headers.get("www-authenticate") ?? "", /^Bearer .*error="invalid_token"/);
    }
    for (const token of [first.refresh_token, second.refresh_token]) {
      assert.equal((await refresh(token)).body.code, "token_revoked");
    }
    assert.equal((await hello(bearer(other.access_token))).status, 200);
    assert.equal((await ask(service, "POST", "/auth/logout")).status, 401);
    assert.equal(service.events.filter(({ name }) => name === "auth.logout").length, 1);
  });

  it("are listed with the current one marked, and nothing secret", async () => {
    await service.createUser("lisa");
    const first = await service.login("lisa");
    for (const userAgent of [FIREFOX, "python-requests/2.31"]) {
      const credentials = { username: "lisa", password: PASSWORD };
      await ask(service, "POST", "/auth/login", { "user-agent": userAgent }, credentials);
    }
    const answer = await ask(service, "GET", "/auth/sessions", bearer(first.access_token));
    assert.equal(answer.body.next_cursor, null);
    assert.equal(answer.body.items.length, 3);
    for (const one of answer.body.items) {
      assert.deepEqual(Object.keys(one).sort(), [
        "address",
        "created_at",
        "current",
        "device",
        "id",
        "last_seen_at",
      ]);
      assert.equal(one.address, "127.0.0.1");
      assert.match(one.created_at, /^\d{4}-\d\d-\d\dT.*Z$/);
    }
    const devices = answer.body.items.filter((one: { current: boolean }) => !one.current);
    assert.deepEqual(devices.map((one: { device: string }) => one.device).sort(), [
      "Firefox on Linux",
      "python-requests",
    ]);
  });

  it("are listed page by page, newest first", async () => {
    await service.createUser("page");
    const logins = [];
    for (let n = 0; n < 3; n += 1) logins.push(await service.login("page"));
    const headers = bearer(logins[0]!.access_token);
    const page = (query: string) => ask(service, "GET", `/auth/sessions?${query}`, headers);
    const { body: first } = await page("limit=2");
    const { body: rest } = await page(`limit=2&cursor=${first.next_cursor}`);
    assert.deepEqual([first.items.length, rest.items.length, rest.next_cursor], [2, 1, null]);
    assert.deepEqual([...first.items, ...rest.items], await list(headers));
    const begun = [...first.items, ...rest.items].map(({ created_at }) => created_at);
    assert.deepEqual(begun, begun.toSorted().reverse());
    for (const wrong of ["limit=0", "limit=201", "cursor=x", "page=2"]) {
      assert.equal((await page(wrong)).status, 400, wrong);
    }
  });

  it("end one at a time", async () => {
    await service.createUser("olga");
    const [kept, ended] = [await service.login("olga"), await service.login("olga")];
    const id = await currentOf(ended.access_token);
    const end = () => ask(service, "DELETE", `/auth/sessions/${id}`, bearer(kept.access_token));
    assert.equal((await end()).status, 204);
    assert.equal((await hello(bearer(ended.access_token))).status, 401);
    assert.equal((await refresh(ended.refresh_token)).status, 401);
    assert.equal((await hello(bearer(kept.access_token))).status, 200);
    assert.equal((await list(bearer(kept.access_token))).length, 1);
    assert.equal((await end()).status, 404, "once only");
  });

  it("end all but this one", async () => {
    await service.createUser("otto");
    await service.createUser("nina");
    const kept = await service.login("otto");
    const ended = [await service.login("otto"), await service.login("otto")];
    const { cookie } = await service.browser("otto");
    const another = await service.login("nina");
    assert.equal((await ask(service, "DELETE", "/auth/sessions", bearer(kept.access_token))).status, 204);
    for (const { access_token } of ended) assert.equal((await hello(bearer(access_token))).status, 401);
    assert.equal((await hello({ cookie })).status, 401);
    assert.equal((await hello(bearer(kept.access_token))).status, 200);
    assert.equal((await refresh(kept.refresh_token)).status, 200);
    assert.equal((await hello(bearer(another.access_token))).status, 200);
  });

  it("of another user answer as ones that never were, and live on", async () => {
    await service.createUser("mallory");
    await service.createUser("victor");
    const [mallory, victor] = [await service.login("mallory"), await service.login("victor")];
    const id = await currentOf(victor.access_token);
    const headers = bearer(mallory.access_token);
    const theirs = await ask(service, "DELETE", `/auth/sessions/${id}`, headers);
    const nobodys = await ask(
      service,
      "DELETE",
      `/auth/sessions/${uuidv7(Date.now(), systemRandom)}`,
      headers,
    );
    assert.equal(theirs.status, 404);
    assert.deepEqual({ ...theirs.body, instance: "" }, { ...nobodys.body, instance: "" });
    assert.equal((await hello(bearer(victor.access_token))).status, 200);
    assert.equal((await ask(service, "DELETE", "/auth/sessions/none", headers)).status, 400);
  });

  it("end at once at a password change, but for the one that made it", async () => {
    await service.createUser("paula");
    const kept = await service.login("paula");
    const other = await service.login("paula");
    const browser = await service.browser("paula");
    assert.equal((await change(bearer(kept.access_token), PASSWORD, NEW_PASSWORD)).status, 204);
    assert.equal((await hello(bearer(other.access_token))).status, 401);
    assert.equal((await refresh(other.refresh_token)).status, 401);
    assert.equal((await hello({ cookie: browser.cookie })).status, 401);
    assert.equal((await hello(bearer(kept.access_token))).status, 200);
    assert.equal((await refresh(kept.refresh_token)).status, 200);
    assert.equal((await signIn("paula", PASSWORD)).status, 401);
    assert.equal((await signIn("paula", NEW_PASSWORD)).status, 200);
  });

  it("of a browser get a new cookie at a password change, and the old one is dead", async () => {
    await service.createUser("petra");
    const browser = await service.browser("petra");
    const other = await service.browser("petra");
    const changed = await change(fromPage(browser), PASSWORD, NEW_PASSWORD);
    assert.equal(changed.status, 204);
    assert.equal(changed.headers.get("cache-control"), "no-store");
    const [set] = changed.headers.getSetCookie();
    assert.match(set ?? "", /; HttpOnly/i);
    assert.match(set ?? "", /; SameSite=Lax/i);
    const cookie = set!.split(";", 1)[0]!;
    assert.notEqual(cookie, browser.cookie);
    assert.equal((await hello({ cookie })).status, 200);
    assert.equal((await hello({ cookie: browser.cookie })).status, 401);
    assert.equal((await hello({ cookie: other.cookie })).status, 401);
  });

  it("live on where the current password is wrong or the new one too weak", async () => {
    await service.createUser("rosa");
    const [first, other] = [await service.login("rosa"), await service.login("rosa")];
    const headers = bearer(first.access_token);
    const wrong = await change(headers, "not it at all, sorry", NEW_PASSWORD);
    assert.equal(wrong.status, 401);
    assert.equal(wrong.body.code, "invalid_credentials");
    const weak = await change(headers, PASSWORD, "password");
    assert.equal(weak.status, 400);
    assert.equal(weak.body.errors[0].field, "new_password");
    assert.equal((await hello(bearer(other.access_token))).status, 200);
    assert.equal((await signIn("rosa", PASSWORD)).status, 200);
  });
});
