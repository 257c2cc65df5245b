/**
 * Runs command lines one after the other in this process, which `kyros` starts a process for: most of what such a
 * process takes is its start. The command lines are read from standard input, and what became of each is written to
 * standard output, as JSON.
 */
import { text } from "node:stream/consumers";
import type { Ended } from "./command.ts";

const PROGRAM = new URL("../../src/cli/program.ts", import.meta.url).href;
const written = { stdout: "", stderr: "" };
const print = process.stdout.write.bind(process.stdout);
for (const name of ["stdout", "stderr"] as const) {
  process[name].write = ((chunk: string | Uint8Array, ...rest: unknown[]) => {
    written[name] += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
    const done = rest.at(-1);
    if (typeof done === "function") done();
    return true;
  }) as typeof process.stdout.write;
}

const all: Ended[] = [];
for (const [at, args] of (JSON.parse(await text(process.stdin)) as string[][]).entries()) {
  process.argv.splice(2, Number.POSITIVE_INFINITY, ...args);
  process.exitCode = 0;
  Object.assign(written, { stdout: "", stderr: "" });
  // The program runs when it is loaded, and is loaded anew under another name.
  await import(`${PROGRAM}?run=${at}`);
  all.push({ exitCode: Number(process.exitCode), ...written });
}
process.exitCode = 0;
print(JSON.stringify(all));
