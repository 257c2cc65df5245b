import { createReadStream, readFileSync } from "node:fs";
import { UsageFault } from "./usage-fault.ts";

/** Far longer than any line that is written here: a file of something else is not gathered in memory. */
const MOST_LINE = 1 << 20;

/** A file's lines, in batches. Refuses (`UsageFault`) one that cannot be read. */
export async function* linesOf(path: string): AsyncGenerator<readonly string[]> {
  let rest = "";
  try {
    for await (const chunk of createReadStream(path, { encoding: "utf8", highWaterMark: 1 << 18 })) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      if (rest.length > MOST_LINE) throw new UsageFault(`${path} has a line that is too long for an export`);
      yield lines;
    }
  } catch (error) {
    throw unreadable(path, error);
  }
  if (rest !== "") yield [rest];
}

/** A file's text. Refuses (`UsageFault`) one that cannot be read. */
export function readTextFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): unknown {
  if (!(error instanceof Error && "code" in error)) return error;
  return new UsageFault(`cannot read ${path} (${error.code})`);
}
