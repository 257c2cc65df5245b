import { after, before, it } from "node:test";
import { openStores } from "../../src/stores/open.ts";
import { rounds } from "../rounds.ts";
import type { PostgresServer } from "../stores/postgres-server.ts";
import { startPostgres } from "../stores/postgres-server.ts";
import { killWriters } from "./killed-writers.ts";

/** Fifty for the record; no more, as each waits for two processes. */
const ROUNDS = rounds(50, 5);

let server: PostgresServer;
before(async () => {
  server = await startPostgres();
  const stores = await openStores({ databaseUrl: server.url });
  await stores.migrate();
  await stores.close();
});
after(() => server.stop());

it(`over PostgreSQL, two processes append, one is killed ${ROUNDS} times over: the chain is whole and nothing acknowledged is lost`, () =>
  killWriters(server.url, ROUNDS));
