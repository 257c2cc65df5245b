import type { Report, RunOptions } from "../report.ts";
import { runRace } from "./race.ts";

/** `GET /protected` with a bearer token: Kyros against the bare frameworks and against stacks of peers. */
export function run(options?: RunOptions): Promise<Report> {
  return runRace(
    {
      name: "http",
      contenders: [
        { name: "bare-node", guarded: false, shows: "token" },
        { name: "bare-fastify", guarded: false, shows: "token" },
        { name: "kyros-node", guarded: true, shows: "token" },
        { name: "kyros-fastify", guarded: true, shows: "token" },
        { name: "peer-fastify", guarded: true, shows: "token" },
        { name: "peer-express", guarded: true, shows: "token" },
      ],
      goals: [
        { what: "kyros-fastify", against: "bare-fastify", goal: 0.6 },
        { what: "kyros-fastify", against: "peer-fastify", goal: 4 },
        { what: "kyros-fastify", against: "peer-express", goal: 6 },
        { what: "kyros-node", against: "bare-node", goal: 0.7 },
      ],
    },
    options,
  );
}
