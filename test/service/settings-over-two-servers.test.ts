import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ask } from "./ask.ts";
import type { TwoServers } from "./two-servers.ts";
import { startTwoServers } from "./two-servers.ts";

describe("settings over two processes on one file", () => {
  let two: TwoServers;
  before(async () => {
    two = await startTwoServers();
  });
  after(() => two.stop());

  it("hold on the other from its next request on, whichever changed them, and stay over a restart", async () => {
    const [first, second] = two.servers;
    const change = async (at: { url: string }, body: object) =>
      assert.equal((await ask(at, "PATCH", "/admin/settings", two.root, body)).status, 200);
    const policyOf = async (at: { url: string }) =>
      (await ask(at, "GET", "/protected")).headers.get("ratelimit-policy");
    assert.deepEqual([await policyOf(first), await policyOf(second)], [null, null]);
    for (let round = 1; round <= 10; round += 1) {
      await change(round % 2 ? first : second, { rate_limit: `${100 + round}/1m` });
      const expected = `"default";q=${100 + round};w=60`;
      assert.deepEqual([await policyOf(first), await policyOf(second)], [expected, expected]);
    }
    const third = await two.kyros.serve();
    assert.equal(await policyOf(third), '"default";q=110;w=60');
    await third.terminate();
    await change(first, { rate_limit: null });
    assert.equal(await policyOf(second), null);
  });
});
