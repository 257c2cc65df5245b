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

    const created = await kyros.run(["user", "create", "alice", "--password-stdin"], { input: `${PASSWORD}\n` });
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

    const enabled = await kyros.run(["user", "enable", "alice"]);
    assert.equal(enabled.exitCode, 0, enabled.stderr);
    assert.equal((await login(served)).status, 200);
    assert.equal((await hello()).status, 401, "the session that was ended stays ended");

    const { exitCode, stdout, stderr } = await served.terminate();
    assert.equal(exitCode, 0);
    assert.ok(!`${stdout}${stderr}`.includes(PASSWORD));
    assert.ok(!`${stdout}${stderr}`.includes(access_token));
  });

  it("keeps its secret and its users over a restart", async () => {
    const first = await kyros.serve();
    const { access_token } = (await (await login(first)).json()) as { access_token: string };
    assert.equal((await first.terminate()).exitCode, 0);
    const second = await kyros.serve();
    const response = await fetch(`${second.url}/protected`, {
      headers: { authorization: `Bearer ${access_token}` },
    });
    assert.equal(response.status, 200);
    assert.equal((await second.terminate()).exitCode, 0);
  });
});
