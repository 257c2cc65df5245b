import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { totpCode, totpStepAt } from "../../src/crypto/totp.ts";
import type { Role } from "../../src/kernel/principal.ts";
import type { Answer } from "../service/ask.ts";
import { ask, bearer } from "../service/ask.ts";
import type { TestService } from "../service/running-service.ts";
import { PASSWORD } from "../service/running-service.ts";

/** A user with an authenticator app. */
export interface Enrolled {
  readonly id: string;
  readonly name: string;
  /** The access token of the session in which it was enrolled. */
  readonly headers: { authorization: string };
  readonly secret: Buffer;
  readonly recoveryCodes: readonly string[];
}

/** Creates a user and enrols an authenticator app over HTTP. */
export async function enrol(service: TestService, name: string, role: Role = "user"): Promise<Enrolled> {
  const id = await service.createUser(name, role);
  const headers = bearer((await service.login(name)).access_token);
  return { id, name, headers, ...(await enrolApp(service, headers)) };
}

/** Enrols an authenticator app for whoever is signed in. */
export async function enrolApp(
  service: { readonly url: string },
  headers: Readonly<Record<string, string>>,
): Promise<Pick<Enrolled, "secret" | "recoveryCodes"> & { readonly answer: Answer }> {
  const offered = await ask(service, "POST", "/auth/mfa/totp", headers);
  assert.equal(offered.status, 200, JSON.stringify(offered.body));
  const secret = decodeBase32(offered.body.secret);
  const answer = await ask(service, "POST", "/auth/mfa/totp/confirm", headers, { code: codeNow(secret) });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return { secret, recoveryCodes: answer.body.recovery_codes, answer };
}

/** Proves the password; resolves to the token of the second step. */
export async function firstStep(service: TestService, name: string, path = "/auth/login"): Promise<string> {
  const { status, body } = await ask(service, "POST", path, {}, { username: name, password: PASSWORD });
  assert.deepEqual([status, body.code], [401, "mfa_required"]);
  return body.mfa_token;
}

export const verify = (
  service: TestService,
  mfa_token: string,
  code: string,
  method = "totp",
): Promise<Answer> => ask(service, "POST", "/auth/mfa/verify", {}, { mfa_token, method, code });

/** Signs in with a recovery code, of which each counts once. */
export async function signInByCode(
  service: TestService,
  name: string,
  code: string,
): Promise<{ authorization: string }> {
  const { status, body } = await verify(service, await firstStep(service, name), code, "recovery_code");
  assert.equal(status, 200, JSON.stringify(body));
  return bearer(body.access_token);
}

export function codeNow(secret: Buffer, steps = 0): string {
  return totpCode(secret, totpStepAt(Date.now()) + steps);
}

/** Six digits that are no code around now. */
export function wrongCode(secret: Buffer): string {
  const right = [-2, -1, 0, 1, 2].map((steps) => codeNow(secret, steps));
  return ["000000", "111111", "222222", "333333", "444444", "555555"].find((code) => !right.includes(code))!;
}

/** Works on the database of a running service as another process would. */
export function inDatabase<T>(service: TestService, work: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(join(service.dataDir, "kyros.db"));
  try {
    database.exec("pragma busy_timeout = 5000");
    return work(database);
  } finally {
    database.close();
  }
}

/** As if minutes had passed since the latest code: its step may be used again. */
export function forgetSteps(service: TestService): void {
  inDatabase(service, (database) => database.exec("update totp_factors set last_step = null"));
}

export function decodeBase32(text: string): Buffer {
  const bits = [...text].map((letter) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"),
  );
  return Buffer.from(
    bits
      .join("")
      .match(/.{8}/g)!
      .map((byte) => Number.parseInt(byte, 2)),
  );
}
