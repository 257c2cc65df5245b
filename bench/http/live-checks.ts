import type { Report, RunOptions } from "../report.ts";
import { runRace } from "./race.ts";

/** 1 / 1.05: as many requests for the same processor time, but for 5 %. */
const ADDED_COST = 0.953;

/** What asking for the session and the revocation of each request adds to the whole chain: at most 5 %. */
export function run(options?: RunOptions): Promise<Report> {
  return runRace(
    {
      name: "live-checks",
      contenders: [
        { name: "kyros-unchecked", guarded: true, shows: "token" },
        { name: "kyros-fastify", guarded: true, shows: "token" },
      ],
      goals: [{ what: "kyros-fastify", against: "kyros-unchecked", goal: ADDED_COST }],
      byCost: true,
      notes: [
        "kyros-unchecked is the same chain, over sessions that are always live and from a table in memory, and with no " +
          "revocations; the account is looked up in SQLite by both.",
      ],
    },
    options,
  );
}
