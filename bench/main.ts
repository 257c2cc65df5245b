import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { MissingTool } from "./child.ts";
import { type Benchmark, formatReport, isMet, type RunOptions, writeReport } from "./report.ts";

const MODULES: Readonly<Record<string, string>> = {
  tokens: "./tokens.ts",
  passwords: "./passwords.ts",
  enumeration: "./enumeration.ts",
  limits: "./limits.ts",
  stores: "./stores.ts",
  "redis-limits": "./redis-limits.ts",
  trail: "./trail.ts",
  startup: "./startup.ts",
  "login-storm": "./login-storm.ts",
  http: "./http/main.ts",
  adapters: "./http/adapters.ts",
  "api-keys": "./http/api-keys.ts",
  gate: "./gate.ts",
  "live-checks": "./http/live-checks.ts",
  workers: "./workers.ts",
  observers: "./http/observers.ts",
  "shared-stores": "./shared-stores.ts",
  revocation: "./revocation.ts",
};

const USAGE = `usage: node bench/main.ts [name...] [--write] [--rounds N] [--seconds N]
names: ${Object.keys(MODULES).join(", ")}; all of them where none is given
exit:  0 every goal is met, 1 one is missed, 2 wrong usage or a missing tool`;

class BadUsage extends Error {}

function count(name: string, text: string | undefined, most: number): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (/^[1-9]\d*$/.test(text) && number <= most) return number;
  throw new BadUsage(`--${name} must be a whole number from 1 to ${most}`);
}

function readArguments(args: readonly string[]) {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    throw new BadUsage((error as Error).message);
  }
  const { values, positionals } = parsed;
  const unknown = positionals.find((name) => !Object.hasOwn(MODULES, name));
  if (unknown !== undefined) {
    throw new BadUsage(`no benchmark is called "${unknown}"; there are ${Object.keys(MODULES).join(", ")}`);
  }
  const rounds = count("rounds", values.rounds, 100);
  const seconds = count("seconds", values.seconds, 600);
  const options: RunOptions = {
    ...(rounds === undefined ? {} : { rounds }),
    ...(seconds === undefined ? {} : { seconds }),
  };
  const names = positionals.length === 0 ? Object.keys(MODULES) : positionals;
  return { names, options, write: values.write, help: values.help };
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      write: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
      rounds: { type: "string" },
      seconds: { type: "string" },
    },
  });
}

async function main(args: readonly string[]): Promise<number> {
  const { names, options, write, help } = readArguments(args);
  if (help) {
    console.log(USAGE);
    return 0;
  }
  let allMet = true;
  for (const name of names) {
    const { run } = (await import(MODULES[name]!)) as Benchmark;
    const loadBefore = loadavg()[0]!;
    const report = await run(options);
    console.log(formatReport(report, loadBefore));
    if (write) console.log(`written to ${await writeReport(report, loadBefore)}\n`);
    allMet &&= report.rows.every(isMet);
  }
  return allMet ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof BadUsage || error instanceof MissingTool)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
