import type { Settings } from "./settings.ts";

/** A setting of the contract that this version reads but does not act on yet. */
interface NotServed {
  readonly variable: string;
  readonly given: (settings: Settings) => boolean;
  readonly allowed: string;
}

/** Given, each of these is a fault: nobody shall believe in a database or a port that is not there. */
export const NOT_SERVED: readonly NotServed[] = [
  {
    variable: "DATABASE_URL",
    given: ({ databaseUrl }) => !databaseUrl.startsWith("sqlite:"),
    allowed: "`sqlite:` and the path of a file",
  },
  { variable: "KYROS_METRICS_PORT", given: ({ metricsPort }) => metricsPort !== undefined, allowed: "unset" },
];
