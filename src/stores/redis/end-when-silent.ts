import type { Socket } from "node:net";

/** How often a connection is looked at until it counts as silent. */
const LOOKS = 4;

/**
 * Destroys a connection by which something was sent and nothing has come for `silenceMs`. As with a deadline, time in
 * which this process could not run does not count, and what has arrived is read first.
 */
export function endWhenSilent(stream: Socket, silenceMs: number): void {
  let read = 0;
  let written = 0;
  let silent = 0;

  function look(): void {
    if (stream.bytesRead !== read) {
      read = stream.bytesRead;
      written = stream.bytesWritten;
      silent = 0;
    } else if (stream.bytesWritten !== written) {
      silent += 1;
      if (silent > LOOKS) stream.destroy(new Error(`nothing came for ${silenceMs} ms`));
    }
  }

  const timer = setInterval(() => setImmediate(look), silenceMs / LOOKS);
  timer.unref();
  stream.once("close", () => clearInterval(timer));
}
