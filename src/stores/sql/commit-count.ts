import { getEnvironmentData, setEnvironmentData } from "node:worker_threads";

const KEY = "kyros.sqlite.commits";

/**
 * Counts the writes of this process to SQLite, by whichever of its threads: one number in shared memory, so that what
 * one thread has acknowledged the next read of another sees. A thread shares it where the one that started it had
 * called this before.
 */
export function shareCommitCount(): Int32Array<SharedArrayBuffer> {
  const known = getEnvironmentData(KEY);
  if (known instanceof SharedArrayBuffer) return new Int32Array(known);
  const buffer = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  setEnvironmentData(KEY, buffer);
  return new Int32Array(buffer);
}
