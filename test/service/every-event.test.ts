import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { canonicalEntry } from "../../src/identity/audit/canonical.ts";
import type { EventName } from "../../src/kernel/audit-event.ts";
import { EVENT_NAMES } from "../../src/kernel/audit-event.ts";
import type { Answer } from "./ask.ts";
import { ask, bearer } from "./ask.ts";
import type { MfaEvent } from "./mfa-causes.ts";
import { mfaCauses } from "./mfa-causes.ts";
import type { TestService } from "./running-service.ts";
import { PASSWORD, runService } from "./running-service.ts";

const MFA_EVENTS = EVENT_NAMES.filter((name) => name.startsWith("auth.mfa.")) as MfaEvent[];
const STATIC_KEY = "bootstrap_0123456789abcdefghijklmnopqrstuv";

describe("every event", () => {
  let service: TestService;
  let admin: Record<string, string>;
  let database: DatabaseSync;
  const ids: Record<string, string> = {};
  before(async () => {
    service = await runService({
      KYROS_FORCE_HTTPS: "on",
      KYROS_TRUST_PROXY: "127.0.0.1/32",
      KYROS_LOGIN_RATE_LIMIT: "5/1m",
      KYROS_API_KEYS: `ci:${STATIC_KEY}`,
    });
    database = new DatabaseSync(join(service.dataDir, "kyros.db"));
    ids["root"] = await service.createUser("root", "admin");
    for (const name of ["alice", "bob", "carol", "dave"]) ids[name] = await service.createUser(name);
    admin = bearer((await login("root")).body.access_token);
  });
  after(async () => {
    database.close();
    await service.stop();
  });

  const https = { "x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.5" };
  const send = (method: string, path: string, headers = {}, body?: unknown): Promise<Answer> =>
    ask(service, method, path, { ...https, ...headers }, body);
  const login = (username: string, password = PASSWORD) =>
    send("POST", "/auth/login", {}, { username, password });
  const signedIn = async (username: string) => bearer((await login(username)).body.access_token);
  const newKey = async () => {
    const owner = await signedIn("dave");
    const { body } = await send("POST", "/auth/api-keys", owner, { name: "job" });
    return { owner, ...body };
  };

  async function found(type: EventName) {
    for (let n = 0; n < 400; n += 1) {
      const { status, body } = await send("GET", `/admin/audit?type=${type}&limit=200`, admin);
      assert.equal(status, 200);
      if (body.items.length > 0) return body.items;
      await pause(10);
    }
    return assert.fail(`${type} is not in the trail`);
  }

  /** How each event is made to happen, and who acted or was acted upon. */
  const CAUSES: Partial<Record<EventName, () => Promise<{ actor?: string; subject?: string } | undefined>>> =
    {
      "auth.login.succeeded": async () => {
        assert.equal((await login("alice")).status, 200);
        return { actor: ids["alice"]!, subject: ids["alice"]! };
      },
      "auth.login.failed": async () => {
        assert.equal((await login("alice", "wrong")).status, 401);
        return { subject: "alice" };
      },
      "auth.session.started": async () => {
        await login("bob");
        return { actor: ids["bob"]! };
      },
      "auth.logout": async () => {
        assert.equal((await send("POST", "/auth/logout", await signedIn("alice"))).status, 204);
        return { actor: ids["alice"]!, subject: ids["alice"]! };
      },
      "auth.session.ended": async () => {
        assert.equal((await send("DELETE", `/admin/users/${ids["bob"]}/sessions`, admin)).status, 204);
        return { actor: ids["root"]! };
      },
      "auth.token.rejected": async () => {
        assert.equal((await send("GET", "/protected", bearer("a.b.c"))).status, 401);
        return undefined;
      },
      "auth.token.refreshed": async () => {
        const { refresh_token } = (await login("bob")).body;
        assert.equal((await send("POST", "/auth/refresh", {}, { refresh_token })).status, 200);
        return undefined;
      },
      "auth.token.reused": async () => {
        const { refresh_token } = (await login("carol")).body;
        const next = await send("POST", "/auth/refresh", {}, { refresh_token });
        await send("POST", "/auth/refresh", {}, { refresh_token: next.body.refresh_token });
        // Beyond the grace: as if it had been used a minute ago.
        database.exec(
          "update refresh_tokens set used_at_ms = used_at_ms - 60000 where used_at_ms is not null",
        );
        assert.equal((await send("POST", "/auth/refresh", {}, { refresh_token })).status, 401);
        return undefined;
      },
      "auth.password.changed": async () => {
        const body = { current_password: PASSWORD, new_password: "quite another horse" };
        assert.equal((await send("POST", "/auth/password", await signedIn("carol"), body)).status, 204);
        return { actor: ids["carol"]!, subject: ids["carol"]! };
      },
      ...Object.fromEntries(
        // Each is caused once the service runs.
        MFA_EVENTS.map((name) => [name, () => mfaCauses(service, https, send)[name]()]),
      ),
      "api_key.created": async () => ({ actor: ids["dave"]!, subject: (await newKey()).id }),
      "api_key.used_first": async () => {
        const { id, key } = await newKey();
        assert.equal((await send("GET", "/protected", { "x-api-key": key })).status, 200);
        return { actor: id, subject: id };
      },
      "api_key.rotated": async () => {
        const { id, owner } = await newKey();
        assert.equal((await send("POST", `/auth/api-keys/${id}/rotate`, owner)).status, 200);
        return { actor: ids["dave"]!, subject: id };
      },
      "api_key.revoked": async () => {
        const { id, owner } = await newKey();
        assert.equal((await send("DELETE", `/auth/api-keys/${id}`, owner)).status, 204);
        return { actor: ids["dave"]!, subject: id };
      },
      "api_key.rejected": async () => {
        assert.equal((await send("GET", "/protected", { "x-api-key": "kyros_nonsense" })).status, 401);
        return undefined;
      },
      "rate_limit.exceeded": async () => {
        for (let n = 0; n < 6; n += 1) await login("nobody", "wrong");
        return { subject: "nobody" };
      },
      "csrf.rejected": async () => {
        const headers = { "sec-fetch-site": "cross-site", origin: "https://evil.example" };
        const body = { username: "alice", password: PASSWORD };
        assert.equal((await send("POST", "/auth/login", headers, body)).status, 403);
        return undefined;
      },
      "https.rejected": async () => {
        assert.equal((await send("GET", "/protected", { "x-forwarded-proto": "http" })).status, 400);
        return undefined;
      },
      "access.denied": async () => {
        assert.equal((await send("GET", "/admin/audit", await signedIn("alice"))).status, 403);
        return { actor: ids["alice"]! };
      },
      "csp.violation": async () => {
        const report = {
          "csp-report": { "document-uri": "https://app.example/", "violated-directive": "img-src" },
        };
        const headers = { "content-type": "application/csp-report" };
        assert.equal((await send("POST", "/security/csp-report", headers, report)).status, 204);
        return undefined;
      },
      "user.created": async () => {
        const { status, body } = await send("POST", "/admin/users", admin, { username: "erin" });
        assert.equal(status, 201);
        return { actor: ids["root"]!, subject: body.id };
      },
      "user.updated": async () => {
        const body = { email: "alice@example.com" };
        assert.equal((await send("PATCH", `/admin/users/${ids["alice"]}`, admin, body)).status, 200);
        return { actor: ids["root"]!, subject: ids["alice"]! };
      },
      "user.disabled": async () => {
        const body = { disabled: true };
        assert.equal((await send("PATCH", `/admin/users/${ids["dave"]}`, admin, body)).status, 200);
        return { actor: ids["root"]!, subject: ids["dave"]! };
      },
      "settings.changed": async () => {
        const body = { log_level: "debug" };
        assert.equal((await send("PATCH", "/admin/settings", admin, body)).status, 200);
        return { actor: ids["root"]!, subject: "log_level" };
      },
      "store.degraded": async () => {
        database.exec("alter table audit_head rename to audit_head_away");
        assert.equal((await login("alice")).status, 503);
        assert.equal((await login("alice")).status, 503);
        assert.equal((await send("GET", "/user/profile", admin)).status, 200, "reads go on");
        database.exec("alter table audit_head_away rename to audit_head");
        return { subject: "audit trail" };
      },
      "store.recovered": async () => ({ subject: "audit trail" }),
    };

  for (const type of EVENT_NAMES) {
    const cause = CAUSES[type];
    if (cause === undefined) continue;
    it(`${type} is in the trail once it has happened over HTTP`, async () => {
      const { actor, subject } = (await cause()) ?? {};
      const entry = (await found(type))[0];
      assert.equal(entry.type, type);
      if (actor !== undefined) assert.equal(entry.actor.id, actor);
      if (subject !== undefined) assert.equal(entry.subject, subject);
      if (type.startsWith("store.")) assert.equal(entry.actor.kind, "system");
      else {
        assert.equal(entry.address, "203.0.113.5");
        assert.match(entry.request_id, /^[0-9a-f-]{36}$/);
        assert.ok(entry.path.startsWith("/"));
      }
    });
  }

  it("is caused here", () => {
    assert.deepEqual(
      EVENT_NAMES.filter((name) => CAUSES[name] === undefined),
      [],
    );
  });

  it("says no secret: no password, token, key or cookie is in the trail", async () => {
    const { body } = await send("GET", "/admin/audit?limit=200", admin);
    const whole = JSON.stringify(body);
    for (const secret of [
      PASSWORD,
      "quite another horse",
      STATIC_KEY,
      "wrong",
      admin["authorization"]!.slice(7),
    ]) {
      assert.ok(!whole.includes(secret), secret);
    }
  });

  it("says what a caller wrote as data, wherever it is printed", async () => {
    const forged = "x\u001b[2J\u2028\u202e";
    await send(
      "POST",
      "/auth/login",
      { "user-agent": "agent \u00e9" },
      { username: `${forged}\nroot`, password: "x" },
    );
    await send("GET", `/protected/${encodeURIComponent(forged)}`, { "x-api-key": "kyros_x" });
    for (const entry of await service.stores.audit.entriesAfter(0, 1000)) {
      for (const text of [entry.subject, entry.actorName, entry.path, entry.userAgent, entry.reason]) {
        assert.ok((text ?? "").length <= 256);
      }
      assert.match(canonicalEntry(entry), /^[\x20-\x7e]+$/);
    }
  });
});
