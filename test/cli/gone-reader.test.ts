import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Kyros } from "./command.ts";
import { kyrosCommand } from "./command.ts";

describe("a command whose standard output nobody reads", () => {
  let kyros: Kyros;
  before(async () => {
    kyros = await kyrosCommand();
    const ended = await kyros.runAll([["user", "create", "alice"]]);
    assert.equal(ended[0]?.exitCode, 0);
  });
  after(() => kyros.remove());

  for (const args of [
    ["user", "list"],
    ["audit", "export"],
  ]) {
    it(`ends without a word, and not as if all were well: ${args.join(" ")}`, async () => {
      const { exitCode, stderr } = await kyros.runUnread(args);
      assert.equal(exitCode, 1);
      assert.equal(stderr, "");
    });
  }

  it("goes on where it is the service", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const stop = new AbortController();
    const ended = kyros.runUnread(["serve"], { KYROS_PORT: new URL(url).port }, stop.signal);
    let status = 0;
    for (let n = 0; n < 200 && status === 0; n += 1) {
      await pause(50);
      status = await fetch(`${url}/healthz`).then(
        (response) => response.status,
        () => 0,
      );
    }
    // What follows the first line is written by then.
    await pause(100);
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
    stop.abort();
    assert.deepEqual((await ended).exitCode, 0);
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
