import { once } from "node:events";

let lost: Error | undefined;

// Nobody may read any more, as `head` does once it has enough. Node ends a process, with a stack, for an error that
// nobody listens for; the exit code alone says that the answer did not arrive.
process.stdout.on("error", (error) => {
  lost ??= error;
  process.exitCode = 1;
});
process.stderr.on("error", () => undefined);

/** Writes lines to standard output, as fast as they are read. Throws where nobody reads any more. */
export async function print(text: string): Promise<void> {
  if (lost !== undefined) throw lost;
  if (!process.stdout.write(`${text}\n`)) await once(process.stdout, "drain");
}
