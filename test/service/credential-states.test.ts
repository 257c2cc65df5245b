import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Answer } from "./ask.ts";
import { ask, bearer } from "./ask.ts";
import type { Path, State } from "./credential-cases.ts";
import { STATES, TABLE } from "./credential-cases.ts";
import type { Hold } from "./credential-paths.ts";
import { credentialPaths } from "./credential-paths.ts";
import { lockName, lockoutsOf } from "./lock-name.ts";
import type { TestService } from "./running-service.ts";
import { PASSWORD, runService } from "./running-service.ts";

let service: TestService;
let root: { authorization: string };
let paths: Readonly<Record<Path, Hold>>;
before(async () => {
  service = await runService();
  await service.createUser("root", "admin");
  root = bearer((await service.login("root")).access_token);
  const key = { name: "inspector", scopes: ["introspect"] };
  const { body } = await ask(service, "POST", "/auth/api-keys", root, key);
  paths = credentialPaths(service, { "x-api-key": body.key });
});
after(() => service.stop());

/** Brings a user into a state, as others would. */
const ENTER: Readonly<Record<State, (id: string, name: string) => Promise<unknown>>> = {
  active: async () => undefined,
  disabled: (id) => patch(id, { disabled: true }),
  // Elsewhere, and where the user has signed in before.
  locked: (_, name) =>
    lockName(lockoutsOf(service.dataDir, service.stores), name, ["203.0.113.1", "127.0.0.1"]),
  "password changed": async (_, name) => {
    const { access_token } = await service.login(name);
    const change = { current_password: PASSWORD, new_password: "quite another horse and staple" };
    const { status } = await ask(service, "POST", "/auth/password", bearer(access_token), change);
    assert.equal(status, 204);
  },
  "session ended": async (id) => {
    const { status } = await ask(service, "DELETE", `/admin/users/${id}/sessions`, root);
    assert.equal(status, 204);
  },
  "role lowered": (id) => patch(id, { role: "user" }),
};

async function patch(id: string, change: object): Promise<void> {
  assert.equal((await ask(service, "PATCH", `/admin/users/${id}`, root, change)).status, 200);
}

const administer = (headers: Readonly<Record<string, string>>) =>
  ask(service, "GET", "/admin/users?limit=1", headers);

/** What an answer says, in the words of the table. */
function told({ status, body }: Answer): string {
  if (typeof body?.active === "boolean") {
    assert.equal(status, 200);
    if (!body.active) assert.deepEqual(body, { active: false });
    return body.active ? "active" : "inactive";
  }
  if (status === 401) return body.error ?? body.code;
  return String(status);
}

let cells = 0;

async function check(path: Path, state: State, expected: string): Promise<void> {
  cells += 1;
  const name = `user${cells}`;
  const id = await service.createUser(name, "admin");
  const held = await paths[path](name);
  if (held.headers !== undefined) assert.equal((await administer(held.headers)).status, 200, "before");
  await ENTER[state](id, name);

  // The admin route first, where the credential itself opens it: the very next request.
  const atOnce = held.headers && (await administer(held.headers));
  const answer = await held.show();
  const saw = told(answer);
  const headers = held.headersAfter(answer);
  const admin = atOnce ?? (headers && (await administer(headers)));
  switch (expected) {
    case "opens":
      assert.deepEqual([saw, admin?.status], ["200", 200]);
      break;
    case "counts":
      assert.deepEqual([saw, admin?.status, admin?.body.code], ["200", 403, "insufficient_role"]);
      break;
    case "active as user":
      assert.deepEqual([saw, answer.body.role], ["active", "user"]);
      break;
    default:
      assert.deepEqual([saw, admin && told(admin)], [expected, admin && expected]);
  }
}

for (const [path, row] of Object.entries(TABLE)) {
  describe(`R28: ${path}`, () => {
    for (const [at, state] of STATES.entries()) {
      it(`${state}: ${row[at]}`, () => check(path as Path, state, row[at]!));
    }
  });
}

it("the table has a cell for every path and state, and none failed on the way", () => {
  assert.equal(cells, Object.keys(TABLE).length * STATES.length);
  assert.deepEqual(service.failures, []);
});
