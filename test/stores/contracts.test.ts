import { describe } from "node:test";
import type { Stores } from "../../src/stores/open.ts";
import { openStores } from "../../src/stores/open.ts";
import {
  accountStoreContract,
  apiKeyStoreContract,
  lockoutStoreContract,
  refreshTokenStoreContract,
  revocationStoreContract,
  sessionStoreContract,
} from "../../src/testing/index.ts";
import { openTemporaryStores } from "./temporary-stores.ts";

/** Every backend passes the same suites; a new one is a line here. */
const BACKENDS: Readonly<Record<string, () => Promise<Stores>>> = {
  memory: () => openStores({ databaseUrl: "sqlite::memory:" }),
  sqlite: openTemporaryStores,
};

for (const [backend, open] of Object.entries(BACKENDS)) {
  describe(backend, () => {
    accountStoreContract(open);
    sessionStoreContract(open);
    refreshTokenStoreContract(open);
    revocationStoreContract(open);
    apiKeyStoreContract(open);
    lockoutStoreContract(open);
  });
}
