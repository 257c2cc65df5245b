import { Command } from "commander";
import type { Finding } from "../../config/judge-settings.ts";
import { judgeSettings } from "../../config/judge-settings.ts";
import { readSettings } from "../../config/load.ts";

const VERDICTS: Readonly<Record<Finding["verdict"], string>> = {
  ok: "ok",
  accepted: "accepted",
  warning: "WARNING",
  error: "ERROR",
};

export function doctorCommand(): Command {
  return new Command("doctor")
    .description("check this configuration for weaknesses; exit 1 where one is an error")
    .option("--json", "print JSON")
    .action((options: { json?: boolean }) => {
      const findings = judgeSettings(readSettings());
      process.stdout.write(options.json ? `${JSON.stringify({ items: findings })}\n` : table(findings));
      if (findings.some(({ verdict }) => verdict === "error")) process.exitCode = 1;
    });
}

/** One line a check; what to do about a weakness stands under it, where the terminal cannot cut it off. */
function table(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ title }) => title.length));
  const lines = findings.flatMap(({ number, title, variable, verdict, finding, remedy, acceptable, id }) => {
    const line = `${String(number).padStart(2)}  ${title.padEnd(width)}  ${VERDICTS[verdict]}`;
    if (verdict === "ok") return [line];
    const wanted =
      acceptable && verdict === "error" ? `; or, where it is wanted, ${id} in KYROS_ALLOW_INSECURE` : "";
    return [line, `    ${variable} ${finding}. Remedy: ${remedy}${wanted}.`];
  });
  return `${lines.join("\n")}\n${summary(findings)}\n`;
}

function summary(findings: readonly Finding[]): string {
  const count = (wanted: Finding["verdict"]): number =>
    findings.filter(({ verdict }) => verdict === wanted).length;
  return `\n${findings.length} checks; errors: ${count("error")}, warnings: ${count("warning")}, accepted: ${count("accepted")}.`;
}
