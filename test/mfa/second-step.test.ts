import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ask, bearer } from "../service/ask.ts";
import type { TestService } from "../service/running-service.ts";
import { PASSWORD, runService } from "../service/running-service.ts";
import type { Enrolled } from "./enrol.ts";
import { codeNow, enrol, firstStep, forgetSteps, signInByCode, verify, wrongCode } from "./enrol.ts";

describe("signing in with a second factor", () => {
  let service: TestService;
  before(async () => {
    service = await runService();
  });
  after(() => service.stop());

  const hello = async (headers: Record<string, string>) =>
    (await ask(service, "GET", "/protected", headers)).status;
  const assertInvalid = ({ status, body }: { status: number; body: { code: string } }, what?: string) =>
    assert.deepEqual([status, body.code], [401, "mfa_invalid"], what);

  it("asks for it once the password is right, and tells with what", async () => {
    await enrol(service, "adam");
    for (const path of ["/auth/login", "/auth/session"]) {
      const credentials = { username: "adam", password: PASSWORD };
      const { status, body, headers } = await ask(service, "POST", path, {}, credentials);
      assert.deepEqual(
        [status, body.code, body.type],
        [401, "mfa_required", "urn:kyros:problem:mfa_required"],
      );
      assert.match(body.mfa_token, /^[A-Za-z0-9_-]{43}$/);
      assert.deepEqual(body.methods, ["totp", "recovery_code"]);
      assert.equal(headers.get("cache-control"), "no-store");
      assert.deepEqual(headers.getSetCookie(), []);
      assert.deepEqual(
        Object.keys(body).filter((name) => /access|refresh/.test(name)),
        [],
      );
    }
  });

  it("answers a wrong password as any wrong password, with a second factor or without", async () => {
    await enrol(service, "berta");
    await service.createUser("carla");
    const answers = await Promise.all(
      ["berta", "carla", "nobody"].map(async (username) => {
        const { status, body, headers } = await ask(
          service,
          "POST",
          "/auth/login",
          {},
          { username, password: "wrong" },
        );
        return [status, { ...body, instance: "" }, [...headers.keys()].filter((name) => name !== "date")];
      }),
    );
    assert.deepEqual(answers[0], answers[1]);
    assert.deepEqual(answers[0], answers[2]);
  });

  it("completes a program's sign-in with tokens and a browser's with a cookie, as each began", async () => {
    const { secret, recoveryCodes } = await enrol(service, "dario");
    const program = await verify(service, await firstStep(service, "dario"), codeNow(secret, 1));
    assert.equal(program.status, 200);
    assert.deepEqual(Object.keys(program.body), [
      "access_token",
      "token_type",
      "expires_in",
      "refresh_token",
    ]);
    assert.equal(program.headers.get("cache-control"), "no-store");
    assert.deepEqual(program.headers.getSetCookie(), []);
    assert.equal(await hello(bearer(program.body.access_token)), 200);

    const begun = await firstStep(service, "dario", "/auth/session");
    const browser = await verify(service, begun, recoveryCodes[3]!, "recovery_code");
    assert.equal(browser.status, 200);
    assert.deepEqual(Object.keys(browser.body), ["id", "username", "expires_at"]);
    const cookie = browser.headers.getSetCookie()[0]!.split(";", 1)[0]!;
    assert.equal(await hello({ cookie }), 200);
    const { body } = await ask(service, "GET", "/auth/user", { cookie });
    assert.equal(body.mfa.recovery_codes_left, 9);
  });

  it("reads a recovery code as people write it, each once", async () => {
    const { recoveryCodes } = await enrol(service, "emil");
    const spellings = [
      (code: string) => code.toUpperCase(),
      (code: string) => code.replaceAll("-", ""),
      (code: string) => ` ${code.replaceAll("-", " ")} `,
      (code: string) => code.replaceAll("o", "0").replaceAll("i", "1").replaceAll("b", "8"),
    ];
    for (const [at, spell] of spellings.entries()) {
      const shown = spell(recoveryCodes[at]!);
      await signInByCode(service, "emil", shown);
      assertInvalid(await verify(service, await firstStep(service, "emil"), shown, "recovery_code"));
    }
    for (const other of ["", "aaaaaa", recoveryCodes[9]!.slice(1), `${recoveryCodes[9]}a`]) {
      if (other === "") continue;
      assertInvalid(await verify(service, await firstStep(service, "emil"), other, "recovery_code"), other);
    }
  });

  it("ends a token's life at its success, and at its fifth failure", async () => {
    const { secret, recoveryCodes } = await enrol(service, "ida");
    const used = await firstStep(service, "ida");
    assert.equal((await verify(service, used, codeNow(secret, 1))).status, 200);
    assertInvalid(await verify(service, used, recoveryCodes[0]!, "recovery_code"));

    const tried = await firstStep(service, "ida");
    for (let i = 0; i < 5; i++) assertInvalid(await verify(service, tried, wrongCode(secret)));
    assertInvalid(await verify(service, tried, recoveryCodes[0]!, "recovery_code"), "the sixth");
    const patient = await firstStep(service, "ida");
    for (let i = 0; i < 4; i++) assertInvalid(await verify(service, patient, wrongCode(secret)));
    assert.equal((await verify(service, patient, recoveryCodes[0]!, "recovery_code")).status, 200);
  });

  it("R30: takes no code twice, nor one of a step before the last", async () => {
    const { secret } = await enrol(service, "jonas");
    // The code that confirmed the app is of this step, or of the one before by now.
    assertInvalid(await verify(service, await firstStep(service, "jonas"), codeNow(secret, -1)));
    const code = codeNow(secret, 1);
    assert.equal((await verify(service, await firstStep(service, "jonas"), code)).status, 200);
    assertInvalid(await verify(service, await firstStep(service, "jonas"), code));
    forgetSteps(service);
    assertInvalid(await verify(service, await firstStep(service, "jonas"), codeNow(secret, 4)));
    assertInvalid(await verify(service, await firstStep(service, "jonas"), codeNow(secret, -4)));
  });

  it("takes no factor of another user, and no token that is none", async () => {
    const kim = await enrol(service, "kim");
    const lea = await enrol(service, "lea");
    assertInvalid(await verify(service, await firstStep(service, "kim"), codeNow(lea.secret, 1)));
    assertInvalid(
      await verify(service, await firstStep(service, "kim"), lea.recoveryCodes[0]!, "recovery_code"),
    );
    assert.equal(
      (await verify(service, await firstStep(service, "kim"), codeNow(kim.secret, 1))).status,
      200,
    );
    for (const token of ["x", "A".repeat(43), `${await firstStep(service, "kim")}x`, `kyros ${kim.id}`]) {
      assertInvalid(await verify(service, token, kim.recoveryCodes[0]!, "recovery_code"), token);
    }
    assert.equal((await ask(service, "GET", "/auth/user", await freshOf(kim))).status, 200);
  });
  const freshOf = (user: Enrolled) => signInByCode(service, user.name, user.recoveryCodes[1]!);

  it("refuses what is not a proof, naming the field", async () => {
    const mfa_token = "A".repeat(43);
    const bodies: readonly [body: object, field: string][] = [
      [{ mfa_token, method: "totp" }, "code"],
      [{ mfa_token, method: "passkey", code: "123456" }, "response"],
      [{ mfa_token, method: "sms", code: "123456" }, "method"],
      [{ method: "totp", code: "123456" }, "mfa_token"],
      [{ mfa_token, method: "totp", code: "1".repeat(65) }, "code"],
      [{ mfa_token, method: "totp", code: 123456 }, "code"],
    ];
    for (const [body, field] of bodies) {
      const answer = await ask(service, "POST", "/auth/mfa/verify", {}, body);
      assert.deepEqual([answer.status, answer.body.code], [400, "validation_failed"], JSON.stringify(body));
      assert.ok(JSON.stringify(answer.body.errors).includes(field), JSON.stringify(answer.body));
    }
  });
});
