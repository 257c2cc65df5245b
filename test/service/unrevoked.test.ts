import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import type { Answer } from "./ask.ts";
import { ask, bearer, fromPage } from "./ask.ts";
import type { TestService } from "./running-service.ts";
import { PASSWORD, runService } from "./running-service.ts";

/** Something that ends a credential, and the credential that it ends. */
interface Ending {
  end(): Promise<Answer>;
  credential: Record<string, string>;
}

describe("R39: an end that the database did not take", () => {
  let service: TestService;
  let root: { authorization: string };
  before(async () => {
    service = await runService();
    await service.createUser("root", "admin");
    root = bearer((await service.login("root")).access_token);
  });
  after(() => service.stop());

  const hello = async (headers: Record<string, string>) =>
    (await ask(service, "GET", "/protected", headers)).status;

  /** One of each kind, each of a user of its own. */
  async function everyEnding(prefix: string): Promise<Readonly<Record<string, Ending>>> {
    let n = 0;
    const newUser = async () => {
      const name = `${prefix}${n++}`;
      const id = await service.createUser(name);
      const pair = await service.login(name);
      return { id, name, pair, headers: bearer(pair.access_token) };
    };
    const newKey = async () => {
      const { headers } = await newUser();
      const { id, key } = (await ask(service, "POST", "/auth/api-keys", headers, { name: "ci" })).body;
      const grant = { grant_type: "client_credentials", client_id: id, client_secret: key };
      const granted = await ask(service, "POST", "/oauth/token", {}, new URLSearchParams(grant));
      return { id, key, headers, token: granted.body.access_token as string };
    };
    const revoke = (token: string) => () =>
      ask(service, "POST", "/oauth/revoke", {}, new URLSearchParams({ token }));

    const [program, other, one, byAccess, byRefresh, changing, disabled, ended] = [
      await newUser(),
      await newUser(),
      await newUser(),
      await newUser(),
      await newUser(),
      await newUser(),
      await newUser(),
      await newUser(),
    ];
    const browserUser = await newUser();
    const browser = await service.browser(browserUser.name);
    const [gone, rotated, granted] = [await newKey(), await newKey(), await newKey()];
    const second = await service.login(other.name);
    const third = await service.login(one.name);
    const { items } = (await ask(service, "GET", "/auth/sessions", one.headers)).body;
    const { id: currentId } = items.find((session: { current: boolean }) => session.current);
    const newPassword = { current_password: PASSWORD, new_password: "quite another horse and staple" };
    const reused = await newUser();
    await ask(service, "POST", "/auth/refresh", {}, { refresh_token: reused.pair.refresh_token });
    const changingToo = await service.login(changing.name);
    return {
      logout: {
        end: () => ask(service, "POST", "/auth/logout", program.headers),
        credential: program.headers,
      },
      "logout of a browser": {
        end: () => ask(service, "DELETE", "/auth/session", fromPage(browser)),
        credential: { cookie: browser.cookie },
      },
      "end of one session": {
        end: () => ask(service, "DELETE", `/auth/sessions/${currentId}`, bearer(third.access_token)),
        credential: one.headers,
      },
      "end of all other sessions": {
        end: () => ask(service, "DELETE", "/auth/sessions", other.headers),
        credential: bearer(second.access_token),
      },
      "change of password": {
        end: () => ask(service, "POST", "/auth/password", changing.headers, newPassword),
        credential: bearer(changingToo.access_token),
      },
      "revocation of an access token": {
        end: revoke(byAccess.pair.access_token),
        credential: byAccess.headers,
      },
      "revocation of a refresh token": {
        end: revoke(byRefresh.pair.refresh_token),
        credential: byRefresh.headers,
      },
      "revocation of a service token": { end: revoke(granted.token), credential: bearer(granted.token) },
      "revocation of a key": {
        end: () => ask(service, "DELETE", `/auth/api-keys/${gone.id}`, gone.headers),
        credential: { "x-api-key": gone.key },
      },
      "rotation of a key": {
        end: () =>
          ask(service, "POST", `/auth/api-keys/${rotated.id}/rotate`, rotated.headers, { overlap: "0" }),
        credential: { "x-api-key": rotated.key },
      },
      "disabling of a user": {
        end: () => ask(service, "PATCH", `/admin/users/${disabled.id}`, root, { disabled: true }),
        credential: disabled.headers,
      },
      "end of a user's sessions": {
        end: () => ask(service, "DELETE", `/admin/users/${ended.id}/sessions`, root),
        credential: ended.headers,
      },
    };
  }

  /** Ends everything while the database is broken, then again when it is whole. */
  async function proves(prefix: string, breakIt: (database: DatabaseSync) => () => void): Promise<void> {
    const endings = await everyEnding(prefix);
    for (const [what, { credential }] of Object.entries(endings))
      assert.equal(await hello(credential), 200, what);
    const told = service.events.length;
    const beganMs = performance.now();
    const database = new DatabaseSync(join(service.dataDir, "kyros.db"), { timeout: 5000 });
    try {
      const mend = breakIt(database);
      const answers = await Promise.all(
        Object.entries(endings).map(async ([what, { end }]) => ({ what, answer: await end() })),
      );
      mend();
      // Five seconds of patience, and room for a machine that is busy; not five for each that waits.
      assert.ok(performance.now() - beganMs < 30_000, "no request waits for the sum of all");
      for (const { what, answer } of answers) {
        assert.equal(answer.status, 503, `${what}: ${answer.status} ${JSON.stringify(answer.body)}`);
        assert.equal(answer.body.code, "unavailable", what);
        assert.equal(answer.headers.get("retry-after"), "1", what);
      }
    } finally {
      database.close();
    }
    const claimed = service.events
      .slice(told)
      // A key's first use is noted beside the request that it is used for, and may be told only now.
      .filter(({ name, outcome }) => outcome === "success" && name !== "api_key.used_first")
      .map(({ name }) => name);
    assert.deepEqual(claimed, [], "no event tells of an end that was none");
    for (const [what, { end, credential }] of Object.entries(endings)) {
      assert.equal(await hello(credential), 200, `${what} was refused, so it was none`);
      assert.ok((await end()).status < 300, what);
      assert.equal(await hello(credential), 401, what);
    }
  }

  it("is answered 503 and was none, where another process holds the database for too long", async () => {
    await proves("held", (database) => {
      database.exec("begin immediate");
      return () => database.exec("rollback");
    });
  });

  it("is answered 503 and was none, where the tables are gone", async () => {
    await proves("gone", (database) => {
      const tables = ["sessions", "accounts", "api_keys", "revoked_tokens"];
      for (const table of tables) database.exec(`alter table ${table} rename to ${table}_hidden`);
      return () => {
        for (const table of tables) database.exec(`alter table ${table}_hidden rename to ${table}`);
      };
    });
  });
});
