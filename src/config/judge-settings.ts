import { CHECKS } from "./checks.ts";
import type { InsecureChoice, Settings } from "./settings.ts";
import { INSECURE_CHOICES } from "./settings.ts";

/** A check and its answer; `accepted` is a weakness that `KYROS_ALLOW_INSECURE` marks as wanted. */
export interface Finding {
  readonly number: number;
  readonly id: string;
  readonly title: string;
  readonly variable: string;
  readonly verdict: "ok" | "accepted" | "warning" | "error";
  /** Empty where the verdict is `ok`. */
  readonly finding: string;
  readonly remedy: string;
  /** Whether it can be marked as wanted. */
  readonly acceptable: boolean;
}

/** Puts every check to the settings, in the order of their numbers. */
export function judgeSettings(settings: Settings): readonly Finding[] {
  return CHECKS.map(({ number, id, title, variable, judge }) => {
    const judgement = judge(settings);
    const acceptable = (INSECURE_CHOICES as readonly string[]).includes(id);
    const base = { number, id, title, variable, acceptable };
    if (judgement === "ok") return { ...base, verdict: "ok", finding: "", remedy: "" };
    const accepted = settings.allowInsecure.includes(id as InsecureChoice);
    return { ...base, ...judgement, verdict: accepted ? "accepted" : judgement.verdict };
  });
}
