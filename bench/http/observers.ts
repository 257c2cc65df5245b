import type { Report, RunOptions } from "../report.ts";
import { runRace } from "./race.ts";

/**
 * What metrics, tracing where the host has no OpenTelemetry SDK, and the audit trail add to `GET /protected`: each at most
 * 2 %, of a success that is not itself an event.
 */
export function run(options?: RunOptions): Promise<Report> {
  return runRace(
    {
      name: "observers",
      contenders: [
        { name: "kyros-unobserved", guarded: true, shows: "token" },
        { name: "kyros-observed", guarded: true, shows: "token" },
        { name: "kyros-fastify", guarded: true, shows: "token" },
        { name: "kyros-audited", guarded: true, shows: "token" },
      ],
      goals: [
        { what: "kyros-observed", against: "kyros-unobserved", goal: 0.98 },
        { what: "kyros-audited", against: "kyros-fastify", goal: 0.98 },
      ],
      byCost: true,
      notes: ["kyros-unobserved is the same chain, with a pipeline that tells nobody of its requests."],
    },
    options,
  );
}
