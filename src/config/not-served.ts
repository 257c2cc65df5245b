import type { Settings } from "./settings.ts";

/** A setting of the contract that this version reads but does not act on yet. */
interface NotServed {
  readonly variable: string;
  readonly given: (settings: Settings) => boolean;
  readonly allowed: string;
}

/** Given, each of these is a fault: nobody shall believe in a Redis or a port that is not there. */
export const NOT_SERVED: readonly NotServed[] = [
  { variable: "REDIS_URL", given: ({ redisUrls }) => redisUrls.length > 0, allowed: "unset" },
];
