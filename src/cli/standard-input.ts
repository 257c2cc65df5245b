import { UsageFault } from "./usage-fault.ts";

/** Far longer than any password may be; a pipe that goes on for ever is not read for ever. */
const MOST_BYTES = 4096;

/** One line from standard input, without its line break. Refuses none, more than one, and what is not UTF-8. */
export async function readPassword(input: AsyncIterable<Uint8Array> = process.stdin): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of input) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MOST_BYTES) throw new UsageFault("standard input is longer than any password may be");
  }
  const text = decode(Buffer.concat(chunks)).replace(/\r?\n$/, "");
  if (text === "") throw new UsageFault("standard input is empty; pipe the password into it, as one line");
  if (/[\r\n]/.test(text))
    throw new UsageFault("standard input has more than one line; the password is one line");
  return text;
}

/** Replacing what is not UTF-8 would set another password than was meant, and one for many. */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new UsageFault("standard input is not UTF-8");
  }
}
