import { routeGuards } from "../../../src/pipeline/route-guards.ts";
import { compose } from "../../../src/service/compose.ts";
import { partsOf } from "../../../src/service/create-kyros.ts";
import { openStores } from "../../../src/stores/open.ts";
import { serveFastify } from "./fastify-app.ts";
import { kyrosOptions } from "./kyros.ts";
import { readSettings } from "./settings.ts";

const settings = readSettings();
const stores = await openStores({ databaseUrl: settings.kyrosDatabaseUrl });
const parts = partsOf({ ...kyrosOptions(settings), stores });
await serveFastify({ ...compose({ ...parts, observer: undefined }), ...routeGuards });
