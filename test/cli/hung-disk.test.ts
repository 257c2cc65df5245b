import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { eventually } from "../stores/eventually.ts";
import { kyrosCommand } from "./command.ts";

const PASSWORD = "correct horse battery staple";
const HUNG_DISK = new URL("../stores/hung-disk.ts", import.meta.url).href;

it("on a disk that hangs, writes are 503 within the bound and then at once, reads go on; it ends by itself", async () => {
  const kyros = await kyrosCommand();
  const hangs = join(kyros.dataDir, "hangs");
  try {
    await kyros.run(["user", "create", "alice", "--password-stdin"], { input: `${PASSWORD}\n` });
    const served = await kyros.serve({
      NODE_OPTIONS: `--import=${HUNG_DISK}?while=${encodeURIComponent(hangs)}`,
    });
    const login = async () => {
      const answer = await fetch(`${served.url}/auth/login`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ username: "alice", password: PASSWORD }),
      });
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    };
    const statusOf = async (path: string, headers = {}) =>
      (await fetch(served.url + path, { headers })).status;
    try {
      const { body } = await login();
      const alice = { authorization: `Bearer ${body["access_token"]}` };

      writeFileSync(hangs, "");
      const beganMs = performance.now();
      const waiting = [login(), login(), login()];
      assert.equal(await statusOf("/protected", alice), 200);
      for (const answer of await Promise.all(waiting)) {
        assert.equal(answer.status, 503);
        assert.equal(answer.body["code"], "unavailable");
      }
      const waitedMs = performance.now() - beganMs;
      assert.ok(waitedMs < 30_000, `one bound for all, not one for each: ${waitedMs} ms`);
      assert.equal((await login()).status, 503);
      assert.ok(performance.now() - beganMs < waitedMs + 9000, "who comes later does not wait for it again");
      for (const path of ["/protected", "/auth/user"]) {
        assert.equal(await statusOf(path, alice), 200, `reads go on: ${path}`);
      }
      assert.equal(await statusOf("/readyz"), 503);
      assert.equal(await statusOf("/healthz"), 200);

      rmSync(hangs);
      await eventually(async () => assert.equal(await statusOf("/readyz"), 200));
      // The trail, which hung too, looks once a second whether it can be written again.
      await eventually(async () => assert.equal((await login()).status, 200));
    } finally {
      rmSync(hangs, { force: true });
      assert.equal((await served.terminate()).exitCode, 0);
    }
  } finally {
    await kyros.remove();
  }
});
