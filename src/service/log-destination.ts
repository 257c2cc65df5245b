import pino from "pino";

/** What is kept of lines that cannot be written (bytes); beyond, new ones are dropped. */
const MOST_KEPT = 1 << 20;
/** How often it is tried again where nothing more is logged (ms). */
const AGAIN_MS = 25;

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
  // The stream throws what nobody listens for.
  stream.on("error", () => {
    if (isToRetry) return;
    isToRetry = true;
    setTimeout(() => {
      isToRetry = false;
      stream.write("");
    }, AGAIN_MS).unref();
  });
  return stream;
}
