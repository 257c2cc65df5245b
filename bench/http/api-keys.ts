import type { Report, RunOptions } from "../report.ts";
import { runRace } from "./race.ts";

/** `GET /protected` with an API key in `X-API-Key`, against the bare framework. */
export function run(options?: RunOptions): Promise<Report> {
  return runRace(
    {
      name: "api-keys",
      contenders: [
        { name: "bare-fastify", guarded: false, shows: "api_key" },
        { name: "kyros-fastify", guarded: true, shows: "api_key" },
      ],
      goals: [{ what: "kyros-fastify", against: "bare-fastify", goal: 0.55 }],
    },
    options,
  );
}
