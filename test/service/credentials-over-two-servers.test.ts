import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Answer } from "./ask.ts";
import { ask, bearer, fromPage } from "./ask.ts";
import { PASSWORD, runService } from "./running-service.ts";
import type { TwoServers } from "./two-servers.ts";
import { startTwoServers } from "./two-servers.ts";

const NEW_PASSWORD = "quite another horse and staple";

/** Everything one admin can sign in, act or be inspected with. */
interface Holder {
  readonly id: string;
  readonly name: string;
  readonly access: string;
  readonly refresh: string;
  readonly cookie: string;
  readonly csrf: string;
  readonly keyId: string;
  readonly key: string;
  readonly service: string;
}
type Server = { readonly url: string };

const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}`,
});
const hello = (headers: (holder: Holder) => Record<string, string>, path = "/protected") => {
  return (server: Server, holder: Holder) => ask(server, "GET", path, headers(holder));
};
const inspect = (token: (holder: Holder) => string) => {
  return async (server: Server, holder: Holder, inspector: string): Promise<Answer> => {
    const form = new URLSearchParams({ token: token(holder) });
    const answer = await ask(server, "POST", "/oauth/introspect", { "x-api-key": inspector }, form);
    return { ...answer, status: answer.body.active === true ? 200 : 401 };
  };
};

/** Every way in, each as one request that is 200 while its credential counts. */
const PATHS: Readonly<
  Record<string, (server: Server, holder: Holder, inspector: string) => Promise<Answer>>
> = {
  "the access token": hello(({ access }) => bearer(access)),
  "the session cookie": hello(({ cookie }) => ({ cookie })),
  "the API key": hello(({ key }) => ({ "x-api-key": key })),
  "the API key as a bearer": hello(({ key }) => bearer(key)),
  "the service token": hello(({ service }) => bearer(service)),
  "the access token, as an admin's": hello(({ access }) => bearer(access), "/admin/users"),
  "the session cookie, as an admin's": hello(({ cookie }) => ({ cookie }), "/admin/users"),
  "the API key, as an admin's": hello(({ key }) => ({ "x-api-key": key }), "/admin/users"),
  "the service token, as an admin's": hello(({ service }) => bearer(service), "/admin/users"),
  "introspection of the access token": inspect(({ access }) => access),
  "introspection of the refresh token": inspect(({ refresh }) => refresh),
  "introspection of the service token": inspect(({ service }) => service),
  client_credentials: (server, { keyId, key }) =>
    ask(
      server,
      "POST",
      "/oauth/token",
      basic(keyId, key),
      new URLSearchParams({ grant_type: "client_credentials" }),
    ),
  "the password, for tokens": (server, { name }) =>
    ask(server, "POST", "/auth/login", {}, { username: name, password: PASSWORD }),
  "the password, for a cookie": (server, { name }) =>
    ask(server, "POST", "/auth/session", {}, { username: name, password: PASSWORD }),
  // Last: it uses the token up.
  "the refresh token": (server, { refresh }) =>
    ask(server, "POST", "/auth/refresh", {}, { refresh_token: refresh }),
};
const OF_TOKEN_SESSION = [
  "the access token",
  "the access token, as an admin's",
  "introspection of the access token",
  "introspection of the refresh token",
  "the refresh token",
];
const OF_BROWSER = ["the session cookie", "the session cookie, as an admin's"];
const OF_SERVICE_TOKEN = [
  "the service token",
  "the service token, as an admin's",
  "introspection of the service token",
];
const OF_KEY = [
  "the API key",
  "the API key as a bearer",
  "the API key, as an admin's",
  "client_credentials",
  ...OF_SERVICE_TOKEN,
];
const OF_PASSWORD = ["the password, for tokens", "the password, for a cookie"];
const OF_ADMIN = Object.keys(PATHS).filter((path) => path.endsWith("as an admin's"));

interface State {
  /** Brings it about at one server, given an admin's headers. */
  readonly change: (server: Server, holder: Holder, root: Record<string, string>) => Promise<Answer>;
  /** Paths that it closes, with 401. */
  readonly closes: readonly string[];
  /** Paths that lead to somebody who may no longer do this: 403. */
  readonly forbids?: readonly string[];
}

const patch =
  (change: object): State["change"] =>
  (server, { id }, root) =>
    ask(server, "PATCH", `/admin/users/${id}`, root, change);

const STATES: Readonly<Record<string, State>> = {
  active: { change: (server, { id }, root) => ask(server, "GET", `/admin/users/${id}`, root), closes: [] },
  "R22: disabled": { change: patch({ disabled: true }), closes: Object.keys(PATHS) },
  "R22: disabled and enabled again": {
    async change(server, holder, root) {
      await patch({ disabled: true })(server, holder, root);
      return patch({ disabled: false })(server, holder, root);
    },
    closes: [...OF_TOKEN_SESSION, ...OF_BROWSER],
  },
  "R40: of a lower role": { change: patch({ role: "user" }), closes: OF_BROWSER, forbids: OF_ADMIN },
  "logged out as a program": {
    change: (server, { access }) => ask(server, "POST", "/auth/logout", bearer(access)),
    closes: OF_TOKEN_SESSION,
  },
  "logged out as a browser": {
    change: (server, holder) => ask(server, "DELETE", "/auth/session", fromPage(holder)),
    closes: OF_BROWSER,
  },
  "without sessions, by an admin": {
    change: (server, { id }, root) => ask(server, "DELETE", `/admin/users/${id}/sessions`, root),
    closes: [...OF_TOKEN_SESSION, ...OF_BROWSER],
  },
  "of another password": {
    async change(server, { name }) {
      const { body } = await ask(server, "POST", "/auth/login", {}, { username: name, password: PASSWORD });
      const wanted = { current_password: PASSWORD, new_password: NEW_PASSWORD };
      return ask(server, "POST", "/auth/password", bearer(body.access_token), wanted);
    },
    closes: [...OF_TOKEN_SESSION, ...OF_BROWSER, ...OF_PASSWORD],
  },
  "without the key": {
    change: (server, { keyId, access }) => ask(server, "DELETE", `/auth/api-keys/${keyId}`, bearer(access)),
    closes: OF_KEY,
  },
  "without the service token": {
    change: (server, { service }) =>
      ask(server, "POST", "/oauth/revoke", {}, new URLSearchParams({ token: service })),
    closes: OF_SERVICE_TOKEN,
  },
  "without the refresh token": {
    change: (server, { refresh }) =>
      ask(server, "POST", "/oauth/revoke", {}, new URLSearchParams({ token: refresh })),
    closes: OF_TOKEN_SESSION,
  },
};

describe("R28: every way in, at the request after one's state changed at the other server", () => {
  let two: TwoServers;
  let inspector: string;
  before(async () => {
    two = await startTwoServers();
    const wish = { name: "inspector", scopes: ["introspect"] };
    inspector = (await ask(two.servers[0], "POST", "/auth/api-keys", two.root, wish)).body.key;
  });
  after(() => two.stop());

  async function hold(name: string): Promise<Holder> {
    const [server] = two.servers;
    const id = await two.createUser(name, "admin");
    const { access_token: access, refresh_token: refresh } = await two.login(name);
    const credentials = { username: name, password: PASSWORD };
    const signedIn = await ask(server, "POST", "/auth/session", {}, credentials);
    const cookie = signedIn.headers.getSetCookie()[0]!.split(";", 1)[0]!;
    const { csrf_token: csrf } = (await ask(server, "GET", "/auth/csrf", { cookie })).body;
    const wish = { name: "worker", scopes: ["*"] };
    const { id: keyId, key } = (await ask(server, "POST", "/auth/api-keys", bearer(access), wish)).body;
    const granted = await PATHS["client_credentials"]!(server, { keyId, key } as Holder, inspector);
    return { id, name, access, refresh, cookie, csrf, keyId, key, service: granted.body.access_token };
  }

  for (const [at, [state, { change, closes, forbids = [] }]] of Object.entries(STATES).entries()) {
    it(`is open or closed as it must be to a user who is ${state}`, async () => {
      const holder = await hold(`user${at}`);
      const [here, there] = [two.servers[(at % 2) as 0 | 1], two.servers[((at + 1) % 2) as 0 | 1]];
      // Both have seen every credential, and remember what they can of it.
      for (const [path, enter] of Object.entries(PATHS).slice(0, 12)) {
        for (const server of [here, there])
          assert.equal((await enter(server, holder, inspector)).status, 200, `${path} before`);
      }
      const changed = await change(here, holder, two.root);
      assert.ok(changed.status < 300, JSON.stringify(changed.body));
      for (const server of [there, here]) {
        for (const [path, enter] of Object.entries(PATHS)) {
          const expected = closes.includes(path) ? 401 : forbids.includes(path) ? 403 : 200;
          // The second server is shown a token that the first has just taken: within the grace, that is no reuse.
          const answer = await enter(server, holder, inspector);
          const isUsedUp = server === here && path === "introspection of the refresh token";
          assert.equal(answer.status, isUsedUp ? 401 : expected, `${path}: ${JSON.stringify(answer.body)}`);
        }
      }
    });
  }
});

describe("R28: the counter of failed sign-ins", () => {
  it("is left alone by a refresh, an API key and a live session", async (t) => {
    const service = await runService({ KYROS_LOGIN_RATE_LIMIT: "3/1m" });
    t.after(() => service.stop());
    await service.createUser("alice");
    let { access_token, refresh_token } = await service.login("alice");
    const fail = () => ask(service, "POST", "/auth/login", {}, { username: "alice", password: "wrong" });
    const statuses: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      statuses.push((await fail()).status);
      const { status, body } = await ask(service, "POST", "/auth/refresh", {}, { refresh_token });
      assert.equal(status, 200);
      ({ access_token, refresh_token } = body);
      assert.equal((await ask(service, "GET", "/protected", bearer(access_token))).status, 200);
    }
    assert.deepEqual(statuses, [401, 401, 429, 429]);
  });
});
