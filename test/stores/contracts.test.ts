import { after, before, describe } from "node:test";
import type { Stores } from "../../src/stores/open.ts";
import { openStores } from "../../src/stores/open.ts";
import {
  accountStoreContract,
  apiKeyStoreContract,
  auditStoreContract,
  challengeStoreContract,
  factorStoreContract,
  lockoutStoreContract,
  overrideStoreContract,
  refreshTokenStoreContract,
  revocationStoreContract,
  sessionStoreContract,
  statisticsStoreContract,
} from "../../src/testing/index.ts";
import type { PostgresDatabases } from "./postgres-databases.ts";
import { postgresDatabases } from "./postgres-databases.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { startPostgres } from "./postgres-server.ts";
import { openTemporaryStores } from "./temporary-stores.ts";

interface Backend {
  readonly open: () => Promise<Stores>;
  start?(): Promise<void>;
  stop?(): Promise<void>;
}

/** Every backend passes the same suites; a new one is an entry here. */
const BACKENDS: Readonly<Record<string, Backend>> = {
  memory: { open: () => openStores({ databaseUrl: "sqlite::memory:" }) },
  sqlite: { open: openTemporaryStores },
  postgres: postgresBackend(),
};

for (const [name, { open, start, stop }] of Object.entries(BACKENDS)) {
  describe(name, () => {
    if (start !== undefined) before(start);
    if (stop !== undefined) after(stop);
    accountStoreContract(open);
    sessionStoreContract(open);
    refreshTokenStoreContract(open);
    revocationStoreContract(open);
    apiKeyStoreContract(open);
    lockoutStoreContract(open);
    factorStoreContract(open);
    challengeStoreContract(open);
    auditStoreContract(open);
    overrideStoreContract(open);
    statisticsStoreContract(open);
  });
}

function postgresBackend(): Backend {
  let server: PostgresServer;
  let databases: PostgresDatabases;
  return {
    open: () => databases.open(),
    async start() {
      // A hundred databases are copied here, none of which has to outlive a crash.
      server = await startPostgres();
      databases = postgresDatabases(server);
    },
    stop: () => server.stop(),
  };
}
