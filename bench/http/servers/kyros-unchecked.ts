import type { Session } from "../../../src/identity/sessions/session.ts";
import { createKyros } from "../../../src/index.ts";
import { openStores } from "../../../src/stores/open.ts";
import { serveFastify } from "./fastify-app.ts";
import { kyrosOptions } from "./kyros.ts";
import { readSettings } from "./settings.ts";

const settings = readSettings();
const stores = await openStores({ databaseUrl: settings.kyrosDatabaseUrl });
const sessions = new Map<string, Session>();
for (let afterId = ""; ; ) {
  const accounts = await stores.accounts.list({ limit: 200, afterId });
  if (accounts.length === 0) break;
  afterId = accounts.at(-1)!.id;
  for (const { id } of accounts) {
    for (const session of await stores.sessions.listLive(id, Date.now())) sessions.set(session.id, session);
  }
}
const kyros = createKyros({
  ...kyrosOptions(settings),
  stores: {
    ...stores,
    sessions: { ...stores.sessions, findById: (id) => sessions.get(id) },
    revocations: { ...stores.revocations, isRevoked: () => false },
  },
});
await serveFastify(kyros);
