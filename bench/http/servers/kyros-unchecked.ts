import Fastify from "fastify";
import { kyrosFastify } from "../../../src/adapters/fastify.ts";
import type { Session } from "../../../src/identity/sessions/session.ts";
import { createKyros } from "../../../src/index.ts";
import { openStores } from "../../../src/stores/open.ts";
import { kyrosOptions } from "./kyros.ts";
import { announce, readSettings } from "./settings.ts";

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
const app = Fastify();
await app.register(kyrosFastify, { kyros });
app.get(
  "/protected",
  {
    ...kyros.requireUser(),
    schema: { response: { 200: { type: "object", properties: { message: { type: "string" } } } } },
  },
  async (request) => ({ message: `Hello, ${request.currentUser.username}!` }),
);
await app.listen({ host: "127.0.0.1", port: 0 });
announce(app.server.address());
