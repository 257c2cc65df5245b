import { execFile, spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { MissingTool, pinned } from "../child.ts";
import type { Credential } from "./population.ts";
import { HEADER } from "./verify.ts";

export interface Load {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly requests: number;
}

export interface LoadOptions {
  readonly url: string;
  readonly script: string;
  readonly seconds: number;
  readonly connections: number;
  /** The core `wrk` stays on; anywhere where absent. */
  readonly core?: number;
}

interface Summary {
  readonly requests: number;
  readonly durationUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly errors: Readonly<Record<"connect" | "read" | "write" | "timeout" | "status", number>>;
}

/** Long, so that other work on the machine makes a run slow and visible, and not void. */
const TIMEOUT_SECONDS = 10;

/** Fails with one line where `wrk` cannot be run. */
export function requireWrk(): void {
  if (spawnSync("wrk", ["--version"]).error) {
    throw new MissingTool("wrk is missing; install it with: apt-get install wrk");
  }
}

/**
 * Writes the script that has `wrk` show one credential after another, `depth` requests at once on each connection, with
 * `headers` on each. The requests are formatted once, so that the generator only picks from a table.
 */
export async function writeScript(
  folder: string,
  path: string,
  shows: Credential,
  credentials: readonly string[],
  { depth = 1, headers = {} }: { depth?: number; headers?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const file = join(folder, `rotate-${shows}${path.replaceAll("/", "-")}.lua`);
  const others = Object.entries(headers).map(([name, value]) => `, ["${name}"] = "${value}"`);
  const script = `local credentials = {
${credentials.map((credential) => `  "${credential}",`).join("\n")}
}
local requests = {}
local at = 0

function init(args)
  for i in ipairs(credentials) do
    local together = {}
    for n = 1, ${depth} do
      local credential = credentials[(i + n - 2) % #credentials + 1]
      together[n] = wrk.format("GET", "${path}", { ["${HEADER[shows]}"] = credential${others.join("")} })
    end
    requests[i] = table.concat(together)
  end
end

function request()
  local first = at + 1
  at = (at + ${depth}) % #requests
  return requests[first]
end

function done(summary, latency, _)
  local e = summary.errors
  io.write(string.format(
    'SUMMARY {"requests":%d,"durationUs":%d,"p50Us":%d,"p99Us":%d,' ..
    '"errors":{"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d}}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect, e.read, e.write, e.timeout, e.status))
end
`;
  await writeFile(file, script);
  return file;
}

/** Loads one server for a while. Throws where a single request failed or was answered with anything but 2xx. */
export async function load(options: LoadOptions): Promise<Load> {
  const [command, ...args] = pinned(options.core, [
    "wrk",
    "--threads=1",
    `--connections=${options.connections}`,
    `--duration=${options.seconds}s`,
    `--timeout=${TIMEOUT_SECONDS}s`,
    `--script=${options.script}`,
    options.url,
  ]);
  const { stdout } = await promisify(execFile)(command!, args, { timeout: (options.seconds + 15) * 1000 });
  const line = /^SUMMARY (.+)$/m.exec(stdout);
  if (!line) throw new Error(`wrk gave no summary:\n${stdout}`);
  const summary = JSON.parse(line[1]!) as Summary;
  const faults = Object.entries(summary.errors).filter(([, times]) => times > 0);
  if (faults.length > 0 || summary.requests === 0 || stdout.includes("Non-2xx")) {
    const list = faults.map(([kind, times]) => `${kind} ${times}`).join(", ");
    throw new Error(
      `${options.url} failed under load: ${summary.requests} requests, errors: ${list || "none"}`,
    );
  }
  return {
    requestsPerSecond: summary.requests / (summary.durationUs / 1_000_000),
    p50Ms: summary.p50Us / 1000,
    p99Ms: summary.p99Us / 1000,
    requests: summary.requests,
  };
}
