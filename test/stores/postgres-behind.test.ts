import assert from "node:assert/strict";
import { it } from "node:test";
import { sampleId } from "../../src/testing/samples.ts";
import { eventually } from "./eventually.ts";
import { fill } from "./every-call.ts";
import { holdLock } from "./hold-lock.ts";
import { postgresDatabases } from "./postgres-databases.ts";
import { startPostgres } from "./postgres-server.ts";

const ID = sampleId(1);

it("an instance on PostgreSQL says that it is behind while it cannot read the journal, asks for each row, and catches up", async (t) => {
  const server = await startPostgres();
  const stores = await postgresDatabases(server).open();
  t.after(async () => {
    await stores.close();
    await server.stop();
  });
  await fill(stores);
  await eventually(() => assert.equal(stores.isCurrent(), true), 5000);
  const release = holdLock(stores.url, "lock table changes in access exclusive mode");
  await release.held;
  await eventually(() => assert.equal(stores.isCurrent(), false), 5000);
  assert.equal((await stores.sessions.findById(ID))?.id, ID);
  await release.end();
  await eventually(() => assert.equal(stores.isCurrent(), true), 10_000);
});
