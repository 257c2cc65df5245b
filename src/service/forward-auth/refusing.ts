import { deny } from "../../kernel/guard.ts";
import { problem } from "../../kernel/problem.ts";
import type { Rule } from "../../kernel/rule.ts";

const DETAIL = "You are not allowed to do this.";

/**
 * A rule under which nobody passes: 403 `insufficient_role`, the only refusal beside 401 and 429 that every proxy hands
 * on. It is limited and recorded as any other; `cause` is for the record alone.
 */
export function refusing(cause: string, detail = DETAIL): Rule {
  const refusal = deny(problem("insufficient_role", detail), cause) as NonNullable<Rule["refusal"]>;
  return Object.freeze({ access: "public", csrf: "exempt", limit: "default", plainHttp: true, refusal });
}
