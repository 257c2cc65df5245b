import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { it } from "node:test";
import pg from "pg";
import { startPostgres } from "./postgres-server.ts";

it("starts a PostgreSQL that can be restarted, paused and stopped, and leaves nothing behind", async () => {
  const server = await startPostgres();
  try {
    assert.equal(await answer(server.url), 1);
    const first = server.pid;
    await server.restart("immediate");
    assert.notEqual(server.pid, first);
    server.pause();
    await assert.rejects(answer(server.url), /timeout/);
    server.resume();
    assert.equal(await answer(server.url), 1);
  } finally {
    await server.stop();
  }
  assert.equal(existsSync(server.directory), false);
  assert.throws(() => process.kill(server.pid, 0));
});

async function answer(url: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1000 });
  client.on("error", () => undefined);
  await client.connect();
  const { rows } = await client.query<{ one: number }>("select 1 as one");
  await client.end();
  return rows[0]?.one;
}
