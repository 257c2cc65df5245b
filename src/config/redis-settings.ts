import { wholeNumber } from "./plain-kinds.ts";
import type { Setting } from "./schema.ts";
import type { Settings } from "./settings.ts";
import { redisUrls } from "./url-kinds.ts";

type RedisSetting = "redisUrls" | "redisDeadlineMs";

/** The settings of what instances share by Redis. */
export const REDIS_SETTINGS: { readonly [Name in RedisSetting]: Setting<Settings[Name]> } = {
  redisUrls: {
    variable: "REDIS_URL",
    kind: redisUrls,
    default: { shown: "none: limits, challenges and the bus are in-process", value: [] },
    meaning: "The Redis server, or the nodes of a cluster.",
  },
  redisDeadlineMs: {
    variable: "KYROS_REDIS_DEADLINE_MS",
    kind: wholeNumber(5, 1000),
    default: { shown: "`50`", text: () => "50" },
    meaning: "How many milliseconds Redis has to decide a limit before the instance decides on its own.",
  },
};
