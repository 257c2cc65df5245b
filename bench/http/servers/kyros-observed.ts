import { createKyros } from "../../../src/index.ts";
import { steadyClock, systemClock } from "../../../src/kernel/clock.ts";
import { openStores } from "../../../src/stores/open.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { serveFastify } from "./fastify-app.ts";
import { kyrosOptions } from "./kyros.ts";
import { readSettings } from "./settings.ts";

const settings = readSettings();
const stores = await openStores({ databaseUrl: settings.kyrosDatabaseUrl });
const { observer, events } = createMetrics({ clock: systemClock, steadyClock });
await serveFastify(createKyros({ ...kyrosOptions(settings), stores, observer, events }));
