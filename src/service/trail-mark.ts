import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { sha256Base64url } from "../crypto/digest.ts";
import type { ChainHead } from "../identity/audit/audit-store.ts";
import { makeDirectory } from "../kernel/make-directory.ts";
import { randomToken, systemRandom } from "../kernel/random.ts";
import { DatabaseFault } from "../stores/database-fault.ts";

/** Where a machine notes how far it has seen the audit trail of a database; nowhere for one in memory. */
export function trailMarkPath(dataDir: string, databaseUrl: string): string | undefined {
  if (databaseUrl === "sqlite::memory:") return undefined;
  return join(dataDir, `trail-mark-${sha256Base64url(placeOf(databaseUrl)).slice(0, 16)}.json`);
}

/** The database without what may change about the way to it: credentials and options. */
function placeOf(databaseUrl: string): string {
  if (databaseUrl.startsWith("sqlite:")) {
    return resolve(databaseUrl.slice("sqlite:".length).replace(/^\/\/(?=\/)/, ""));
  }
  const { hostname, port, pathname } = new URL(databaseUrl);
  return `${hostname}:${port || 5432}${pathname}`;
}

/** The mark, or `undefined` where there is none yet. Throws `DatabaseFault` where it cannot be read. */
export function readTrailMark(path: string): ChainHead | undefined {
  try {
    const mark = JSON.parse(readFileSync(path, "utf8")) as Partial<ChainHead>;
    if (Number.isSafeInteger(mark.seq) && typeof mark.hash === "string") return mark as ChainHead;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
  }
  throw new DatabaseFault(
    `${path} cannot be read, which tells whether the database is a restored backup: ` +
      'make it readable, or run "kyros migrate --accept-restore"',
  );
}

/** Written and synced under a name of its own first, so that a crash leaves the old mark or the new one. */
export function writeTrailMark(path: string, { seq, hash }: ChainHead): void {
  makeDirectory(dirname(path));
  const draft = `${path}.${randomToken(systemRandom, 12)}`;
  try {
    const descriptor = openSync(draft, "wx", 0o600);
    try {
      writeSync(descriptor, `${JSON.stringify({ seq, hash })}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}
