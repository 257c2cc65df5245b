import type { Report, RunOptions } from "../report.ts";
import { runRace } from "./race.ts";

/** `GET /protected` with a bearer token by Express and by Hono on node:http: behind Kyros, and bare. */
export function run(options?: RunOptions): Promise<Report> {
  return runRace(
    {
      name: "adapters",
      contenders: [
        { name: "bare-express", guarded: false, shows: "token" },
        { name: "bare-hono", guarded: false, shows: "token" },
        { name: "kyros-express", guarded: true, shows: "token" },
        { name: "kyros-hono", guarded: true, shows: "token" },
      ],
      goals: [
        { what: "kyros-express", against: "bare-express", goal: null },
        { what: "kyros-hono", against: "bare-hono", goal: null },
      ],
    },
    options,
  );
}
