import assert from "node:assert/strict";

export interface Line {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)+)\})? (-?(?:[0-9.]+(?:e[+-]?\d+)?|\+?Inf)|Nan)$/;

/** Reads the text format of Prometheus (0.0.4), strictly: a line that is none fails the test, as does a type untold. */
export function readExposition(text: string): readonly Line[] {
  const told = new Set<string>();
  const lines: Line[] = [];
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("# HELP ")) continue;
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
    if (type) {
      told.add(type[1]!);
      continue;
    }
    const match = LINE.exec(line);
    assert.ok(match, `a line of the text format: ${line}`);
    const name = match[1]!;
    assert.ok(told.has(name) || told.has(name.replace(/_(bucket|sum|count)$/, "")), `the type of ${name}`);
    const pairs = [...(match[2] ?? "").matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)];
    const labels = Object.fromEntries(pairs.map((pair) => [pair[1]!, pair[2]!]));
    lines.push({ name, labels, value: Number(match[3]) });
  }
  return lines;
}

/** The one value under a name and all of the given labels, whatever others there are; the sum where there are several. */
export function sampleOf(
  lines: readonly Line[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const found = lines.filter(
    (line) =>
      line.name === name && Object.entries(labels).every(([label, value]) => line.labels[label] === value),
  );
  return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
}
