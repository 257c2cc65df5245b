import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Kyros, Served } from "./command.ts";
import { kyrosCommand } from "./command.ts";

const PASSWORD = "correct horse battery staple";

describe("kyros serve", () => {
  let kyros: Kyros;
  before(async () => {
    kyros = await kyrosCommand();
  });
  after(() => kyros.remove());

  const login = (served: Served) =>
    fetch(`${served.url}/auth/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ username: "alice", password: PASSWORD }),
    });

  it("says where it listens, takes the commands' changes at the next request, ends with 0 on SIGTERM", async () => {
    const served = await kyros.serve();
    assert.match(served.plainLines[0]!, /^kyros listening on http:\/\/127\.0\.0\.1:[1-9][0-9]*$/);

    const created = await kyros.run(["user", "create", "alice", "--password-stdin"], {
      input: `${PASSWORD}\n`,
    });
    assert.equal(created.exitCode, 0, created.stderr);
    const answer = await login(served);
    assert.equal(answer.status, 200);
    const { access_token } = (await answer.json()) as { access_token: string };
    const hello = () =>
      fetch(`${served.url}/protected`, { headers: { authorization: `Bearer ${access_token}` } });
    assert.equal((await hello()).status, 200);

    const disabled = await kyros.run(["user", "disable", "ALICE"]);
    assert.equal(disabled.exitCode, 0, disabled.stderr);
    assert.equal((await hello()).status, 401);
    assert.equal((await login(served)).status, 401);

    const { exitCode, stdout, stderr } = await served.terminate();
    assert.equal(exitCode, 0);
    assert.ok(!`${stdout}${stderr}`.includes(PASSWORD));
    assert.ok(!`${stdout}${stderr}`.includes(access_token));
  });
});
