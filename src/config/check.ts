import type { Settings } from "./settings.ts";

/** What a check found: nothing, or how bad it is, what it is and what to do. */
export type Judgement =
  | "ok"
  | {
      readonly verdict: "warning" | "error";
      /** The rest of a sentence that begins with the variable. */
      readonly finding: string;
      readonly remedy: string;
    };

/** One question to a configuration. Number and id are stable: people and scripts hold on to them. */
export interface Check {
  readonly number: number;
  readonly id: string;
  /** What holds where the answer is yes. */
  readonly title: string;
  readonly variable: string;
  judge(settings: Settings): Judgement;
}

export function error(finding: string, remedy: string): Judgement {
  return { verdict: "error", finding, remedy };
}

export function warning(finding: string, remedy: string): Judgement {
  return { verdict: "warning", finding, remedy };
}
