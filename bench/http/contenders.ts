import { type Child, startChild } from "../child.ts";
import type { Population } from "./population.ts";
import { verifyContender } from "./verify.ts";

interface Contender {
  readonly name: string;
  /** Whether it refuses a request without a valid token. */
  readonly guarded: boolean;
}

/** Every contender is the server `servers/<name>.ts`. */
export const CONTENDERS: readonly Contender[] = [
  { name: "bare-node", guarded: false },
  { name: "bare-fastify", guarded: false },
  { name: "kyros-node", guarded: true },
  { name: "kyros-fastify", guarded: true },
  { name: "peer-fastify", guarded: true },
  { name: "peer-express", guarded: true },
];

export interface Goal {
  readonly what: string;
  readonly against: string;
  readonly goal: number;
}

/** What Kyros has to reach, in requests per second relative to another contender. */
export const GOALS: readonly Goal[] = [
  { what: "kyros-fastify", against: "bare-fastify", goal: 0.6 },
  { what: "kyros-fastify", against: "peer-fastify", goal: 4 },
  { what: "kyros-fastify", against: "peer-express", goal: 6 },
  { what: "kyros-node", against: "bare-node", goal: 0.7 },
];

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
    await verifyContender(contender.name, url, contender.guarded, population);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return { ...contender, pid: child.pid, url, stop: child.stop };
}

/** Starts and verifies all contenders; where one fails, none is left running. */
export async function startContenders(population: Population, core: number): Promise<RunningContender[]> {
  const running: RunningContender[] = [];
  try {
    for (const contender of CONTENDERS) running.push(await start(contender, population, core));
  } catch (error) {
    await Promise.all(running.map((each) => each.stop()));
    throw error;
  }
  return running;
}
