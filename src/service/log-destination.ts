import pino from "pino";

/** What is kept of lines that cannot be written (bytes); beyond, new ones are dropped. */
const MOST_KEPT = 1 << 20;
/** How often it is tried again where nothing more is logged (ms). */
const AGAIN_MS = 25;
/** So often once more at the end of the process: a reader that is only slow is waited for (a second in all). */
const LAST_TRIES = 40;

/**
 * Writes lines to a file descriptor before the call returns, and never throws: a full disk, and a reader that has gone or
 * takes nothing, are no outage of what is logged. Lines that could not be written are written first once they can be.
 */
export function logDestination(fd: number): pino.DestinationStream {
  const stream = pino.destination({
    fd,
    sync: true,
    maxLength: MOST_KEPT,
    // It would sleep, and with it every request, for as long as the reader takes nothing.
    retryEAGAIN: () => false,
  });
  let isToRetry = false;
  let isAwaitedAtExit = false;
  /** The reader has yet to take what was written before. */
  let isFull = false;

  function retry(): void {
    isFull = false;
    stream.write("");
  }

  function retryAtExit(): void {
    const asleep = new Int32Array(new SharedArrayBuffer(4));
    for (let n = 0; n < LAST_TRIES && isFull; n += 1) {
      Atomics.wait(asleep, 0, 0, AGAIN_MS);
      retry();
    }
  }

  // The stream throws what nobody listens for.
  stream.on("error", ({ code }: NodeJS.ErrnoException) => {
    isFull = code === "EAGAIN";
    if (!isAwaitedAtExit) process.once("exit", retryAtExit);
    isAwaitedAtExit = true;
    if (isToRetry) return;
    isToRetry = true;
    setTimeout(() => {
      isToRetry = false;
      retry();
    }, AGAIN_MS).unref();
  });
  return stream;
}
