import { Command } from "commander";
import type { AdjustableName } from "../../config/adjustable.ts";
import { adjustableText } from "../../config/adjustable.ts";
import type { SourcedFinding } from "../../config/judge-overridden.ts";
import { judgeOverridden } from "../../config/judge-overridden.ts";
import { readSettings } from "../../config/load.ts";
import type { Overrides } from "../../identity/settings/override-store.ts";
import { toRfc3339 } from "../../kernel/clock.ts";
import { viewOf } from "../../service/live-settings.ts";
import { storedOverrides } from "../stored-overrides.ts";

const VERDICTS: Readonly<Record<SourcedFinding["verdict"], string>> = {
  ok: "ok",
  accepted: "accepted",
  warning: "WARNING",
  error: "ERROR",
};

export function doctorCommand(): Command {
  return new Command("doctor")
    .description("check the configuration that holds now for weaknesses; exit 1 where one is an error")
    .option("--json", "print JSON")
    .action(async (options: { json?: boolean }) => {
      const diagnosis = await diagnose();
      process.stdout.write(options.json ? `${JSON.stringify(diagnosis)}\n` : table(diagnosis));
      if (diagnosis.items.some(({ verdict }) => verdict === "error")) process.exitCode = 1;
    });
}

/** In the words of `--json`. */
interface Diagnosis {
  readonly items: readonly SourcedFinding[];
  /** What admins have changed while the service runs, and holds in place of the environment's. */
  readonly overrides: readonly {
    readonly name: AdjustableName;
    readonly value: string;
    readonly default: string;
    readonly changed_at: string;
    readonly changed_by: string | null;
  }[];
  /** Why that, or some of it, is not judged. */
  readonly not_judged: readonly string[];
}

async function diagnose(): Promise<Diagnosis> {
  const environment = readSettings();
  const stored = await storedOverrides(environment.databaseUrl);
  const notJudged = "unread" in stored ? [`changes by PATCH /admin/settings: ${stored.unread}`] : [];
  const given: Overrides = "unread" in stored ? {} : stored.overrides;
  const { settings, overrides } = viewOf(environment, given, (error) => {
    notJudged.push((error as Error).message);
  });
  const names = Object.keys(overrides) as AdjustableName[];
  return {
    items: judgeOverridden(environment, settings, names),
    overrides: names.map((name) => ({
      name,
      value: adjustableText(settings, name),
      default: adjustableText(environment, name),
      changed_at: toRfc3339(overrides[name]!.changedAtMs),
      changed_by: overrides[name]!.changedBy,
    })),
    not_judged: notJudged,
  };
}

/** One line a check; what to do about a weakness stands under it, where the terminal cannot cut it off. */
function table({ items, overrides, not_judged }: Diagnosis): string {
  const width = Math.max(...items.map(({ title }) => title.length));
  const lines = items.flatMap((item) => {
    const line = `${String(item.number).padStart(2)}  ${item.title.padEnd(width)}  ${VERDICTS[item.verdict]}`;
    return item.verdict === "ok" ? [line] : [line, `    ${adviceOn(item)}.`];
  });
  const changes = overrides.map(
    (one) => `Changed while it runs: ${one.name} is ${one.value}, ${one.default} in the environment.`,
  );
  const gaps = not_judged.map((text) => `Not judged: ${text}.`);
  return `${[...lines, "", ...changes, ...gaps, summary(items)].join("\n")}\n`;
}

function adviceOn({ variable, verdict, finding, remedy, acceptable, id, source }: SourcedFinding): string {
  if (source === "database") {
    return `${variable}, as changed while it runs, ${finding}. Remedy: ${remedy}, by PATCH /admin/settings`;
  }
  const wanted =
    acceptable && verdict === "error" ? `; or, where it is wanted, ${id} in KYROS_ALLOW_INSECURE` : "";
  return `${variable} ${finding}. Remedy: ${remedy}${wanted}`;
}

function summary(items: readonly SourcedFinding[]): string {
  const count = (wanted: SourcedFinding["verdict"]): number =>
    items.filter(({ verdict }) => verdict === wanted).length;
  return `${items.length} checks; errors: ${count("error")}, warnings: ${count("warning")}, accepted: ${count("accepted")}.`;
}
