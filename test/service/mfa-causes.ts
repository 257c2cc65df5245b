import assert from "node:assert/strict";
import type { EventName } from "../../src/kernel/audit-event.ts";
import { codeNow, enrolApp, wrongCode } from "../mfa/enrol.ts";
import type { Answer } from "./ask.ts";
import { bearer } from "./ask.ts";
import type { TestService } from "./running-service.ts";
import { PASSWORD } from "./running-service.ts";

type Headers = Readonly<Record<string, string>>;
export type MfaEvent = Extract<EventName, `auth.mfa.${string}`>;

/** How each event of second factors is made to happen, by a user of its own. */
export function mfaCauses(
  service: TestService,
  common: Headers,
  send: (method: string, path: string, headers?: Headers, body?: unknown) => Promise<Answer>,
): Record<MfaEvent, () => Promise<{ actor?: string; subject?: string }>> {
  const login = (username: string) => send("POST", "/auth/login", {}, { username, password: PASSWORD });
  async function enrolled(name: string) {
    const id = await service.createUser(name);
    const headers = bearer((await login(name)).body.access_token);
    return { id, headers, ...(await enrolApp(service, { ...common, ...headers })) };
  }
  async function verify(name: string, code: string): Promise<number> {
    const { mfa_token } = (await login(name)).body;
    return (await send("POST", "/auth/mfa/verify", {}, { mfa_token, method: "totp", code })).status;
  }
  return {
    "auth.mfa.enrolled": async () => {
      const { id } = await enrolled("enrolled");
      return { actor: id, subject: id };
    },
    "auth.mfa.challenged": async () => {
      const { id } = await enrolled("challenged");
      assert.equal((await login("challenged")).body.code, "mfa_required");
      return { subject: id };
    },
    "auth.mfa.failed": async () => {
      const { id, secret } = await enrolled("failed");
      assert.equal(await verify("failed", wrongCode(secret)), 401);
      return { subject: id };
    },
    "auth.mfa.succeeded": async () => {
      const { id, secret } = await enrolled("succeeded");
      assert.equal(await verify("succeeded", codeNow(secret, 1)), 200);
      return { actor: id, subject: id };
    },
    "auth.mfa.removed": async () => {
      const { id, headers } = await enrolled("removed");
      assert.equal((await send("DELETE", "/auth/mfa/totp", headers)).status, 204);
      return { actor: id, subject: id };
    },
    "auth.mfa.renewed": async () => {
      const { id, headers } = await enrolled("renewed");
      assert.equal((await send("POST", "/auth/mfa/recovery-codes", headers)).status, 200);
      return { actor: id, subject: id };
    },
  };
}
