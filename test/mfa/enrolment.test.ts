import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ask, bearer, fromPage } from "../service/ask.ts";
import type { TestService } from "../service/running-service.ts";
import { runService } from "../service/running-service.ts";
import {
  codeNow,
  decodeBase32,
  enrol,
  enrolApp,
  firstStep,
  inDatabase,
  signInByCode,
  verify,
  wrongCode,
} from "./enrol.ts";

describe("enrolling an authenticator app", () => {
  let service: TestService;
  before(async () => {
    service = await runService();
  });
  after(() => service.stop());

  const mfaOf = async (headers: Record<string, string>) =>
    (await ask(service, "GET", "/auth/user", headers)).body.mfa;
  const NONE = { enabled: false, totp: false, passkeys: 0, recovery_codes_left: 0 };
  const TEN = { enabled: true, totp: true, passkeys: 0, recovery_codes_left: 10 };

  it("shows the secret once, in three forms, and asks for nothing until a code confirms it", async () => {
    await service.createUser("anna");
    const headers = bearer((await service.login("anna")).access_token);
    const { status, body, headers: sent } = await ask(service, "POST", "/auth/mfa/totp", headers);
    assert.equal(status, 200);
    assert.equal(sent.get("cache-control"), "no-store");
    assert.match(body.secret, /^[A-Z2-7]{32}$/);
    assert.ok(body.uri.startsWith("otpauth://totp/Kyros:anna?"));
    assert.equal(new URL(body.uri).searchParams.get("secret"), body.secret);
    assert.match(body.qr, /^data:image\/svg\+xml[;,]/);
    assert.deepEqual(await mfaOf(headers), NONE);
    assert.equal((await service.login("anna")).access_token.length > 0, true);

    const secret = decodeBase32(body.secret);
    const wrong = await ask(service, "POST", "/auth/mfa/totp/confirm", headers, { code: wrongCode(secret) });
    assert.deepEqual([wrong.status, wrong.body.code], [401, "mfa_invalid"]);
    assert.deepEqual(await mfaOf(headers), NONE);
    const right = { code: codeNow(secret).replace(/^.../, "$& ") };
    const confirmed = await ask(service, "POST", "/auth/mfa/totp/confirm", headers, right);
    assert.equal(confirmed.status, 200);
    assert.equal(confirmed.headers.get("cache-control"), "no-store");
    const codes = confirmed.body.recovery_codes as string[];
    assert.equal(new Set(codes).size, 10);
    for (const code of codes) assert.match(code, /^[a-z2-7]{6}(-[a-z2-7]{6}){3}$/);
    assert.deepEqual(await mfaOf(headers), TEN);
    await firstStep(service, "anna");
  });

  it("keeps neither the secret nor a recovery code in clear", async () => {
    const { secret, recoveryCodes, headers } = await enrol(service, "beno");
    assert.equal((await ask(service, "GET", "/protected", headers)).status, 200);
    const rows = inDatabase(service, (database) =>
      JSON.stringify([
        database.prepare("select * from totp_factors").all(),
        database.prepare("select * from recovery_codes").all(),
      ]),
    );
    const plain = recoveryCodes.map((code) => code.replaceAll("-", ""));
    const forms = [secret.toString("hex"), secret.toString("base64url"), secret.toString("base64"), ...plain];
    for (const form of [...forms, ...recoveryCodes]) {
      assert.ok(!rows.toLowerCase().includes(form.toLowerCase()));
    }
  });

  it("has one app at a time: another is a conflict until the first is removed", async () => {
    const { headers } = await enrol(service, "cleo");
    const again = await ask(service, "POST", "/auth/mfa/totp", headers);
    assert.deepEqual([again.status, again.body.code], [409, "conflict"]);
    const confirm = await ask(service, "POST", "/auth/mfa/totp/confirm", headers, { code: "123456" });
    assert.equal(confirm.status, 409);
    assert.equal((await ask(service, "DELETE", "/auth/mfa/totp", headers)).status, 204);
    assert.deepEqual(await mfaOf(headers), NONE);
    assert.equal((await ask(service, "DELETE", "/auth/mfa/totp", headers)).status, 404);
    await service.login("cleo");
    await enrolApp(service, headers);
  });

  it("R18: ends every other session, and gives this one a new cookie and CSRF proof, at each change", async () => {
    await service.createUser("dora");
    const { access_token, refresh_token } = await service.login("dora");
    const other = await service.browser("dora");
    const page = await service.browser("dora");
    const { answer, recoveryCodes } = await enrolApp(service, fromPage(page));
    const cookie = answer.headers.getSetCookie()[0]!.split(";", 1)[0]!;
    assert.notEqual(cookie, page.cookie);
    const hello = async (headers: Record<string, string>) =>
      (await ask(service, "GET", "/protected", headers)).status;
    assert.equal(await hello({ cookie: page.cookie }), 401);
    assert.equal(await hello({ cookie: other.cookie }), 401);
    assert.equal(await hello(bearer(access_token)), 401);
    assert.equal((await ask(service, "POST", "/auth/refresh", {}, { refresh_token })).status, 401);
    assert.equal(await hello({ cookie }), 200);
    const stale = await ask(service, "DELETE", "/auth/mfa/totp", fromPage({ cookie, csrf: page.csrf }));
    assert.equal(stale.body.code, "csrf_invalid");

    const third = await signInByCode(service, "dora", recoveryCodes[0]!);
    const csrf = (await ask(service, "GET", "/auth/csrf", { cookie })).body.csrf_token;
    const removed = await ask(service, "DELETE", "/auth/mfa/totp", fromPage({ cookie, csrf }));
    assert.equal(removed.status, 204);
    assert.equal(await hello({ cookie }), 401);
    assert.equal(await hello(third), 401);
    assert.equal(await hello({ cookie: removed.headers.getSetCookie()[0]!.split(";", 1)[0]! }), 200);
  });

  it("asks for a sign-in of the last ten minutes, and of a person", async () => {
    const { headers } = await enrol(service, "elsa");
    const key = (await ask(service, "POST", "/auth/api-keys", headers, { name: "ci" })).body.key;
    const age = (minutes: number) =>
      inDatabase(service, (database) =>
        database.exec(
          `update sessions set authenticated_at_ms = ${Date.now() - minutes * 60_000} where user_id = (select id from accounts where username = 'elsa')`,
        ),
      );
    const routes: readonly [method: string, path: string, body?: object][] = [
      ["POST", "/auth/mfa/totp"],
      ["POST", "/auth/mfa/totp/confirm", { code: "123456" }],
      ["DELETE", "/auth/mfa/totp"],
      ["POST", "/auth/mfa/recovery-codes"],
      ["POST", "/auth/passkeys/options"],
      ["DELETE", "/auth/passkeys/01890000-0000-7000-8000-000000000001"],
    ];
    inDatabase(service, (database) =>
      database.exec("update accounts set password_changed_at_ms = 0, role_changed_at_ms = 0"),
    );
    age(11);
    for (const [method, path, body] of routes) {
      const stale = await ask(service, method, path, headers, body);
      assert.deepEqual([stale.status, stale.body.code], [401, "step_up_required"], path);
      assert.match(
        stale.headers.get("www-authenticate") ?? "",
        /^Bearer .*error="insufficient_user_authentication", max_age="600"$/,
      );
      assert.equal((await ask(service, method, path, { "x-api-key": key }, body)).status, 403, path);
      assert.equal((await ask(service, method, path, {}, body)).status, 401, path);
    }
    age(9);
    assert.equal((await ask(service, "DELETE", "/auth/mfa/totp", headers)).status, 204);
  });

  it("lets no session without the second factor change factors", async () => {
    const { headers } = await enrol(service, "fred");
    inDatabase(service, (database) => database.exec("update sessions set mfa = 0"));
    for (const [method, path] of [
      ["DELETE", "/auth/mfa/totp"],
      ["POST", "/auth/mfa/totp"],
      ["POST", "/auth/mfa/recovery-codes"],
      ["POST", "/auth/passkeys/options"],
    ] as const) {
      const { status, body, headers: sent } = await ask(service, method, path, headers);
      assert.deepEqual([status, body.code], [401, "step_up_required"], path);
      assert.match(
        sent.get("www-authenticate") ?? "",
        /^Bearer .*error="insufficient_user_authentication", acr_values="http[^"]+\/multi-factor"$/,
      );
    }
    assert.deepEqual(await mfaOf(headers), TEN);
  });

  it("makes new recovery codes, with which the old ones, other sessions and sign-ins under way end", async () => {
    await service.createUser("hans");
    const alone = bearer((await service.login("hans")).access_token);
    const none = await ask(service, "POST", "/auth/mfa/recovery-codes", alone);
    assert.deepEqual([none.status, none.body.code], [409, "conflict"]);
    const { headers, recoveryCodes } = await enrol(service, "ines");
    const other = await signInByCode(service, "ines", recoveryCodes[0]!);
    const underWay = await firstStep(service, "ines");

    const renewed = await ask(service, "POST", "/auth/mfa/recovery-codes", headers);
    assert.equal(renewed.status, 200);
    assert.equal(renewed.headers.get("cache-control"), "no-store");
    const fresh = renewed.body.recovery_codes as string[];
    assert.equal(new Set([...fresh, ...recoveryCodes]).size, 20);
    assert.deepEqual(await mfaOf(headers), TEN);
    assert.equal((await ask(service, "GET", "/protected", other)).status, 401);
    assert.equal((await verify(service, underWay, fresh[0]!, "recovery_code")).body.code, "mfa_invalid");
    const token = await firstStep(service, "ines");
    assert.equal((await verify(service, token, recoveryCodes[1]!, "recovery_code")).body.code, "mfa_invalid");
    assert.equal((await verify(service, token, fresh[0]!, "recovery_code")).status, 200);
    assert.deepEqual(await mfaOf(headers), { ...TEN, recovery_codes_left: 9 });
  });

  it("is told to admins, and is in the trail before it is acknowledged", async () => {
    await service.createUser("root", "admin");
    const root = bearer((await service.login("root")).access_token);
    const { id, headers } = await enrol(service, "gwen");
    const { body } = await ask(service, "GET", `/admin/users/${id}`, root);
    assert.deepEqual(body.mfa, TEN);
    const listed = await ask(service, "GET", "/admin/users?search=gwen", root);
    assert.deepEqual(listed.body.items[0].mfa, TEN);
    const trail = async () => {
      const { items } = (await ask(service, "GET", `/admin/audit?user=${id}&limit=200`, root)).body;
      return (items as { type: string; details: unknown }[]).filter(({ type }) =>
        type.startsWith("auth.mfa."),
      );
    };
    assert.deepEqual(
      (await trail()).map(({ type, details }) => [type, details]),
      [["auth.mfa.enrolled", { method: "totp" }]],
    );
    assert.equal((await ask(service, "DELETE", "/auth/mfa/totp", headers)).status, 204);
    assert.equal((await trail())[0]?.type, "auth.mfa.removed");
  });
});
