import { openKeyring } from "../../../src/crypto/keyring.ts";
import { createKyros } from "../../../src/index.ts";
import { createLog } from "../../../src/service/log.ts";
import { openTrail } from "../../../src/service/open-trail.ts";
import { openStores } from "../../../src/stores/open.ts";
import { serveFastify } from "./fastify-app.ts";
import { kyrosOptions } from "./kyros.ts";
import { readSettings } from "./settings.ts";

const settings = readSettings();
const stores = await openStores({ databaseUrl: settings.kyrosDatabaseUrl });
const keyring = openKeyring({ current: settings.secret });
const { events } = openTrail({ store: stores.audit, keyring, log: createLog("warn") });
await serveFastify(createKyros({ ...kyrosOptions(settings), stores, events }));
