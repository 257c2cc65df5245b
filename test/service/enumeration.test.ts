import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { TestService } from "./running-service.ts";
import { PASSWORD, runService } from "./running-service.ts";

interface Seen {
  readonly status: number;
  readonly body: unknown;
  readonly headers: readonly (readonly [string, string])[];
}

/** Differs between any two answers, to the same question too. */
const OF_THE_MOMENT = new Set(["date", "x-request-id"]);

async function seen(response: Response): Promise<Seen> {
  const { instance, ...body } = (await response.json()) as Record<string, unknown>;
  assert.equal(instance, response.headers.get("x-request-id"));
  const headers = [...response.headers].map(
    ([name, value]) => [name, OF_THE_MOMENT.has(name) ? "" : value] as const,
  );
  return { status: response.status, body, headers };
}

describe("whether an account exists", () => {
  let service: TestService;
  before(async () => {
    service = await runService({ KYROS_LOGIN_RATE_LIMIT: "3/1m" });
    for (const name of ["known", "other", "third"]) await service.createUser(name);
    const disabled = await service.createUser("disabled");
    await service.stores.accounts.update(disabled, { disabled: true });
  });
  after(() => service.stop());

  async function attempt(path: string, username: string, password: string, form = false): Promise<Seen> {
    const fields = { username, password };
    const response = await fetch(service.url + path, {
      method: "POST",
      headers: { "content-type": form ? "application/x-www-form-urlencoded" : "application/json" },
      body: form ? new URLSearchParams(fields).toString() : JSON.stringify(fields),
    });
    return seen(response);
  }

  it("is not told by an answer of POST /auth/login", async () => {
    const known = await attempt("/auth/login", "known", "wrong");
    assert.equal(known.status, 401);
    assert.equal((known.body as { code: string }).code, "invalid_credentials");
    assert.deepEqual(await attempt("/auth/login", "nobody", "wrong"), known);
    assert.deepEqual(await attempt("/auth/login", "disabled", "wrong"), known);
    assert.deepEqual(await attempt("/auth/login", "no user name!", "wrong"), known);
  });

  it("is not told by an answer to the password form", async () => {
    const known = await attempt("/auth/login", "other", "wrong", true);
    assert.equal(known.status, 401);
    assert.deepEqual(await attempt("/auth/login", "nobody-else", "wrong", true), known);
  });

  it("is not told by an answer of POST /auth/session", async () => {
    const known = await attempt("/auth/session", "third", "wrong");
    assert.equal(known.status, 401);
    assert.deepEqual(await attempt("/auth/session", "nobody-at-all", "wrong"), known);
  });

  it("is not told by the right password of a disabled account", async () => {
    const disabled = await attempt("/auth/login", "disabled", PASSWORD);
    assert.equal(disabled.status, 401);
    assert.deepEqual(disabled.body, (await attempt("/auth/login", "nobody", PASSWORD)).body);
  });

  it("is not told by the limit: an unknown name is counted and refused as a known one", async () => {
    const policy = async (name: string) => {
      const answers: Seen[] = [];
      for (let i = 0; i < 4; i++) answers.push(await attempt("/auth/login", name, "wrong"));
      return answers.map(({ status, body, headers }) => ({
        status,
        code: (body as { code: string }).code,
        names: headers.map(([header]) => header),
        remaining: headers.find(([header]) => header === "x-ratelimit-remaining")?.[1],
      }));
    };
    await service.createUser("limited");
    const known = await policy("limited");
    assert.deepEqual(
      known.map(({ status }) => status),
      [401, 401, 401, 429],
    );
    assert.deepEqual(await policy("nobody-limited"), known);
  });

  it("is not told by a refused body", async () => {
    const known = await attempt("/auth/login", "known", "");
    assert.deepEqual(await attempt("/auth/login", "nobody", ""), known);
  });

  it("is not told to a user who asks for another's id", async () => {
    const id = await service.createUser("asked-for");
    await service.createUser("asking");
    const { access_token } = await service.login("asking");
    const ask = async (wanted: string) =>
      seen(
        await fetch(`${service.url}/admin/users/${wanted}`, {
          headers: { authorization: `Bearer ${access_token}` },
        }),
      );
    const known = await ask(id);
    assert.equal(known.status, 403);
    assert.deepEqual(await ask("01890000-0000-7000-8000-000000000000"), known);
  });
});
