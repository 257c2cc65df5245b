import { type Child, startChild } from "../child.ts";
import type { Credential, Population } from "./population.ts";
import { verifyContender } from "./verify.ts";

/** The server `servers/<name>.ts`. */
export interface Contender {
  readonly name: string;
  /** Whether it refuses a request without a valid credential. */
  readonly guarded: boolean;
  /** What its requests carry. */
  readonly shows: Credential;
}

/** What a contender has to reach, relative to another; `null` where the ratio is for reference only. */
export interface Goal {
  readonly what: string;
  readonly against: string;
  readonly goal: number | null;
}

export const PATH = "/protected";
const START_DEADLINE_MS = 15_000;

export interface RunningContender extends Contender {
  readonly pid: number;
  readonly url: string;
  stop(): Promise<void>;
}

async function start(contender: Contender, population: Population, core: number): Promise<RunningContender> {
  const file = new URL(`./servers/${contender.name}.ts`, import.meta.url).pathname;
  const child: Child = await startChild({
    args: [file, ...population.args],
    env: { NODE_ENV: "production" },
    core,
    ready: /^listening (\d+)$/,
    deadlineMs: START_DEADLINE_MS,
  });
  const url = `http://127.0.0.1:${child.match[1]}${PATH}`;
  try {
    await verifyContender(contender, url, population);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return { ...contender, pid: child.pid, url, stop: child.stop };
}

/** Starts and verifies all contenders; where one fails, none is left running. */
export async function startContenders(
  contenders: readonly Contender[],
  population: Population,
  core: number,
): Promise<RunningContender[]> {
  const running: RunningContender[] = [];
  try {
    for (const contender of contenders) running.push(await start(contender, population, core));
  } catch (error) {
    await Promise.all(running.map((each) => each.stop()));
    throw error;
  }
  return running;
}
