import { serveFastify } from "./fastify-app.ts";
import { openKyros } from "./kyros.ts";
import { readSettings } from "./settings.ts";

await serveFastify(await openKyros(readSettings()));
