import assert from "node:assert/strict";
import { after, before, describe, it, mock } from "node:test";
import { NO_FACTORS } from "../../src/identity/factors/factor.ts";
import { ask, bearer } from "../service/ask.ts";
import type { TestService } from "../service/running-service.ts";
import { PASSWORD, runService } from "../service/running-service.ts";
import type { Enrolled } from "./enrol.ts";
import { codeNow, enrol, firstStep, inDatabase, verify, wrongCode } from "./enrol.ts";

describe("a sign-in that waits for its second factor", () => {
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
  const assertInvalid = ({ status, body }: { status: number; body: { code: string } }, what?: string) =>
    assert.deepEqual([status, body.code], [401, "mfa_invalid"], what);

  it("R29: takes what it has handed out for no credential, on any route", async () => {
    await enrol(service, "frida", "admin");
    const token = await firstStep(service, "frida");
    const { paths } = (await ask(service, "GET", "/openapi.json")).body as {
      paths: Record<string, Record<string, { security?: unknown[] }>>;
    };
    let tried = 0;
    for (const [path, operations] of Object.entries(paths)) {
      for (const [method, { security }] of Object.entries(operations)) {
        // A page may ask for a CSRF token signed in or not.
        if (security?.length === 0 || path === "/auth/csrf") continue;
        const target = path.replaceAll(/\{\w+\}/g, "01890000-0000-7000-8000-000000000001");
        const ways = [
          bearer(token),
          { "x-api-key": token },
          { cookie: `kyros_session=${token}` },
          { cookie: `kyros_session=${token}`, ...bearer(token) },
        ];
        for (const headers of ways) {
          const { status } = await ask(service, method.toUpperCase(), target, headers);
          assert.ok([401, 403, 405, 400].includes(status) && status !== 200, `${method} ${path}: ${status}`);
          tried += 1;
        }
      }
    }
    assert.ok(tried > 60, `${tried} requests`);
    for (const refresh_token of [token]) {
      assert.equal((await ask(service, "POST", "/auth/refresh", {}, { refresh_token })).status, 401);
    }
  });

  it("R28: is asked for by every path that shows a password, and by none that shows what a sign-in led to", async () => {
    const { headers, recoveryCodes } = await enrol(service, "gustav");
    const credentials = { username: "gustav", password: PASSWORD };
    const form = new URLSearchParams({ ...credentials, grant_type: "password" });
    for (const [path, body] of [
      ["/auth/login", credentials],
      ["/auth/login", form],
      ["/auth/session", credentials],
    ] as const) {
      const answer = await ask(service, "POST", path, {}, body);
      assert.equal(answer.body.code, "mfa_required", path);
    }
    const grant = await ask(service, "POST", "/oauth/token", {}, form);
    assert.deepEqual([grant.status, grant.body.error], [400, "unsupported_grant_type"]);
    assert.equal(await hello(headers), 200);
    const key = (await ask(service, "POST", "/auth/api-keys", headers, { name: "ci" })).body.key;
    assert.equal(await hello({ "x-api-key": key }), 200);
    const done = await verify(
      service,
      await firstStep(service, "gustav"),
      recoveryCodes[0]!,
      "recovery_code",
    );
    const { refresh_token } = done.body;
    const refreshed = await ask(service, "POST", "/auth/refresh", {}, { refresh_token });
    assert.equal(refreshed.status, 200, "a refresh goes on with a session that has shown it");
  });

  it("is not gone round by a password that was checked while the factor was being enrolled", async () => {
    const { id } = await enrol(service, "henry");
    for (const path of ["/auth/login", "/auth/session"]) {
      // What the password was checked against: the moment before the enrolment.
      const before = mock.method(service.stores.factors, "summaryOf", async () => NO_FACTORS, { times: 1 });
      const answer = await ask(service, "POST", path, {}, { username: "henry", password: PASSWORD });
      assert.equal(before.mock.callCount() > 0, true);
      before.mock.restore();
      assert.deepEqual([answer.status, answer.body.code], [401, "invalid_credentials"], path);
      assert.deepEqual(answer.headers.getSetCookie(), []);
      const live = await service.stores.sessions.listLive(id, Date.now());
      assert.deepEqual(
        live.filter(({ mfa }) => !mfa),
        [],
        "its session is over",
      );
    }
  });

  it("refuses the second step once anything has changed since the first", async () => {
    const changes: Readonly<Record<string, (user: Enrolled) => Promise<unknown>>> = {
      "the user is disabled": ({ id }) =>
        ask(service, "PATCH", `/admin/users/${id}`, root, { disabled: true }),
      "the role is another": ({ id }) =>
        ask(service, "PATCH", `/admin/users/${id}`, root, { role: "moderator" }),
      "the password is another": ({ headers }) =>
        ask(service, "POST", "/auth/password", headers, {
          current_password: PASSWORD,
          new_password: "quite another horse and staple",
        }),
      "the factor is removed": ({ headers }) => ask(service, "DELETE", "/auth/mfa/totp", headers),
      "five minutes are over": async () =>
        inDatabase(service, (database) =>
          database.exec(`update challenges set expires_at_ms = ${Date.now() - 1}`),
        ),
    };
    let n = 0;
    for (const [what, change] of Object.entries(changes)) {
      n += 1;
      const user = await enrol(service, `hanna${n}`);
      const byApp = await firstStep(service, user.name);
      const byCode = await firstStep(service, user.name);
      await change(user);
      assertInvalid(await verify(service, byApp, codeNow(user.secret, 1)), what);
      assertInvalid(await verify(service, byCode, user.recoveryCodes[0]!, "recovery_code"), what);
    }
  });

  it("is told: asked, failed and why, succeeded and with what; a sign-in only once it is whole", async () => {
    const { id, secret } = await enrol(service, "mila");
    const from = service.events.length;
    const token = await firstStep(service, "mila");
    await verify(service, token, wrongCode(secret));
    await verify(service, token, codeNow(secret, 1));
    const told = service.events.slice(from).map(({ name, outcome, subject, reason, details }) => ({
      name,
      outcome,
      ...(name.startsWith("auth.mfa") && { subject, reason, details }),
    }));
    assert.deepEqual(told, [
      { name: "auth.mfa.challenged", outcome: "success", subject: id, reason: undefined, details: undefined },
      {
        name: "auth.mfa.failed",
        outcome: "failure",
        subject: id,
        reason: "code not valid, or used before",
        details: { method: "totp" },
      },
      {
        name: "auth.mfa.succeeded",
        outcome: "success",
        subject: id,
        reason: undefined,
        details: { method: "totp" },
      },
      { name: "auth.login.succeeded", outcome: "success" },
      { name: "auth.session.started", outcome: "success" },
    ]);
    assert.deepEqual(service.failures, []);
  });
});
