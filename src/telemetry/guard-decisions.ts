import type { Decision } from "../kernel/guard.ts";
import type { MetricFamily, Sample } from "./metric-family.ts";

type WalkEnd = "deny" | "answer" | "failure";

/** Counts what each guard decided, at the price of one addition a request. */
export interface GuardDecisions {
  attached(guardNames: readonly string[]): void;
  decided(at: number, decision: Decision): void;
  failed(at: number): void;
  readonly family: MetricFamily;
}

const ENDS: readonly WalkEnd[] = ["deny", "answer", "failure"];

export function createGuardDecisions(): GuardDecisions {
  let names: readonly string[] = [];
  let passedAll = 0;
  const ended: Record<WalkEnd, number[]> = { deny: [], answer: [], failure: [] };

  /** A guard has passed all requests whose walk ended behind it: only the ends need to be counted. */
  function read(): readonly Sample[] {
    const samples: Sample[] = [];
    let passed = passedAll;
    for (let at = names.length - 1; at >= 0; at--) {
      const guard = names[at]!;
      samples.push({ labels: { guard, outcome: "pass" }, value: passed });
      for (const outcome of ENDS) {
        const value = ended[outcome][at]!;
        samples.push({ labels: { guard, outcome }, value });
        passed += value;
      }
    }
    return samples;
  }

  return {
    attached(guardNames) {
      names = guardNames;
      for (const end of ENDS) ended[end] = names.map(() => 0);
    },
    decided(at, { kind }) {
      if (kind === "pass") passedAll++;
      else ended[kind][at]!++;
    },
    failed(at) {
      ended.failure[at]!++;
    },
    family: {
      name: "kyros_guard_decisions_total",
      help: "Decisions of each guard: pass, deny, answer (such as a preflight's), or failure (an outage).",
      type: "counter",
      read,
    },
  };
}
