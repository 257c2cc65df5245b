import { UsageFault } from "./usage-fault.ts";

/** Far longer than any password may be; a pipe that goes on for ever is not read for ever. */
const MOST_BYTES = 4096;

/** One line from standard input, without its line break. Refuses none, and more than one. */
export async function readPassword(): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length > MOST_BYTES) throw new UsageFault("standard input is longer than any password may be");
  }
  const text = Buffer.concat(chunks)
    .toString("utf8")
    .replace(/\r?\n$/, "");
  if (text === "") throw new UsageFault("standard input is empty; pipe the password into it, as one line");
  if (/[\r\n]/.test(text))
    throw new UsageFault("standard input has more than one line; the password is one line");
  return text;
}
