/**
 * For `--import` into a process or a thread: the disk hangs for as long as a file is there, so that `commit` does not
 * return, here and in every thread that is started here. The file is named in the query of this module's URL.
 */
import { existsSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { StatementSync } from "node:sqlite";
import threads, { type WorkerOptions } from "node:worker_threads";

const HANGS = new URL(import.meta.url).searchParams.get("while")!;
const never = new Int32Array(new SharedArrayBuffer(4));
const run = StatementSync.prototype.run;

StatementSync.prototype.run = function (...parameters: unknown[]) {
  if (this.sourceSQL === "commit") while (existsSync(HANGS)) Atomics.wait(never, 0, 0, 10);
  return Reflect.apply(run, this, parameters);
};

threads.Worker = class extends threads.Worker {
  constructor(script: string | URL, options: WorkerOptions = {}) {
    super(script, { ...options, execArgv: [...(options.execArgv ?? []), "--import", import.meta.url] });
  }
};
syncBuiltinESMExports();
