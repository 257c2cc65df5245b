import { appendFile } from "node:fs/promises";
import type { Sender } from "./delivery.ts";

/** Appends lines to a file (0600), opened anew for each batch, so that it may be rotated away at any time. */
export function sendToFile(path: string): Sender {
  return {
    async send(batch) {
      await appendFile(path, batch.map(({ line }) => `${line}\n`).join(""), { mode: 0o600 });
    },
  };
}
