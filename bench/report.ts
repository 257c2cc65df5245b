import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { systemClock, toRfc3339 } from "../src/kernel/clock.ts";

/** One comparison: how `what` stands against `against`, both measured in the same run. */
export interface Row {
  readonly what: string;
  readonly against: string;
  readonly ratio: number;
  /** `null` where the ratio is for reference only. */
  readonly goal: number | null;
  /** What the ratio is of, such as "requests/s". */
  readonly unit?: string;
  /** `atLeast` unless told: a ratio of costs has to stay `atMost` at its goal. */
  readonly bound?: "atLeast" | "atMost";
}

/** The numbers behind the ratios, as text. */
export interface Measurements {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What a reader must know to trust or repeat them, a line each. */
  readonly notes?: readonly string[];
}

export interface Report {
  readonly name: string;
  readonly rows: readonly Row[];
  readonly measurements?: Measurements;
}

/** What a benchmark is told: how often it measures each side, and for how long at a time. */
export interface RunOptions {
  readonly rounds?: number;
  readonly seconds?: number;
}

/** What a benchmark module exports. */
export interface Benchmark {
  run(options?: RunOptions): Promise<Report>;
}

const COLUMNS = ["what", "against", "of", "ratio", "goal", "met"];

/** Whether a row reaches its goal, if it has one; a ratio that is not a number reaches none. */
export function isMet(row: Row): boolean {
  if (row.goal === null) return true;
  return row.bound === "atMost" ? row.ratio <= row.goal : row.ratio >= row.goal;
}

function cells(row: Row): string[] {
  const sign = row.bound === "atMost" ? "≤" : "≥";
  return [
    row.what,
    row.against,
    row.unit ?? "",
    row.ratio.toFixed(2),
    row.goal === null ? "" : `${sign} ${row.goal}`,
    row.goal === null ? "" : isMet(row) ? "yes" : "NO",
  ];
}

const isNumeric = (text: string | undefined): boolean => text !== undefined && /^[\d,.]+( \S+)?$/.test(text);

function align(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((name, at) => Math.max(name.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const toRight = columns.map((_, at) => isNumeric(rows[0]?.[at]));
  const line = (row: readonly string[]) =>
    widths
      .map((width, at) => (toRight[at] ? (row[at] ?? "").padStart(width) : (row[at] ?? "").padEnd(width)))
      .join("  ")
      .trimEnd();
  return [columns, widths.map((width) => "-".repeat(width)), ...rows].map(line).join("\n");
}

function markdown(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]) =>
    `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(columns), line(columns.map(() => "---")), ...rows.map(line)].join("\n");
}

const loadLine = (loadBefore: number): string => `Load average before the run: ${loadBefore.toFixed(2)}`;

/** The report as aligned text, for a terminal. `loadBefore` is the load average before the run: what else went on. */
export function formatReport(report: Report, loadBefore: number): string {
  const parts = [report.name, align(COLUMNS, report.rows.map(cells))];
  if (report.measurements) {
    parts.push("", align(report.measurements.columns, report.measurements.rows));
    parts.push(...(report.measurements.notes ?? []));
  }
  parts.push(loadLine(loadBefore));
  return `${parts.join("\n")}\n`;
}

function machine(loadBefore: number): string {
  const gib = totalmem() / 1024 ** 3;
  return [
    `- CPU: ${cpus()[0]?.model.trim() ?? "unknown"}, ${availableParallelism()} cores`,
    `- Memory: ${gib.toFixed(1)} GiB`,
    `- Kernel: ${process.platform} ${release()}`,
    `- Node: ${process.version}`,
    `- ${loadLine(loadBefore)}`,
    `- Date: ${toRfc3339(systemClock.now())}`,
  ].join("\n");
}

/** The report as Markdown, with the machine it was measured on. */
export function renderReport(report: Report, loadBefore: number): string {
  const parts = [
    `# Benchmark: ${report.name}`,
    machine(loadBefore),
    markdown(COLUMNS, report.rows.map(cells)),
  ];
  if (report.measurements) {
    parts.push("## Measured", markdown(report.measurements.columns, report.measurements.rows));
    if (report.measurements.notes)
      parts.push(report.measurements.notes.map((note) => `- ${note}`).join("\n"));
  }
  return `${parts.join("\n\n")}\n`;
}

/** Writes the report to `results/<name>.md` beside this file, in place of the one before, and returns its path. */
export async function writeReport(report: Report, loadBefore: number): Promise<string> {
  const folder = new URL("./results/", import.meta.url);
  await mkdir(folder, { recursive: true });
  const file = new URL(`${report.name}.md`, folder);
  await writeFile(file, renderReport(report, loadBefore));
  return file.pathname;
}
