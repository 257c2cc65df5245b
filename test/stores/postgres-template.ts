import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

export const BINARIES = "/usr/lib/postgresql/15/bin";
/** Of the role `kyros`, which owns the database `kyros`. Such a password has to be encoded in a URL. */
export const PASSWORD = "p#ss w0rd";
export const SUPERUSER_PASSWORD = "superuser";

const CACHE = join(import.meta.dirname, "../../node_modules/.cache");
const run = promisify(execFile);

/** PostgreSQL refuses to run as root: then it runs as Debian's user `postgres`. */
export function serverUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

/** Makes the data directory of a server that has never run: a copy of one that is made once and kept. */
export async function copyTemplate(to: string): Promise<void> {
  const recipe = createHash("sha256")
    .update(readFileSync(import.meta.filename))
    .digest("hex")
    .slice(0, 16);
  const kept = join(CACHE, `postgres-${recipe}`);
  if (!existsSync(kept)) await makeTemplate(kept);
  await run("cp", ["-a", kept, to]);
}

async function makeTemplate(kept: string): Promise<void> {
  const owner = serverUser();
  // The server's user need not be able to reach the cache.
  const directory = mkdtempSync(join(tmpdir(), "kyros-postgres-template-"));
  const unfinished = `${kept}-${process.pid}`;
  try {
    if (owner !== undefined) chownSync(directory, owner.uid, owner.gid);
    const data = join(directory, "data");
    const passwordFile = join(directory, "password");
    writeFileSync(passwordFile, `${SUPERUSER_PASSWORD}\n`, { mode: 0o644 });
    const options = { ...owner, cwd: directory };
    await run(
      join(BINARIES, "initdb"),
      [
        ...["-D", data, "-U", "postgres", "--pwfile", passwordFile, "-A", "scram-sha-256", "-E", "UTF8"],
        ...["--locale", "C", "--wal-segsize", "1", "--no-sync", "--no-instructions"],
      ],
      options,
    );
    // Without a server: one statement a line.
    const alone = run(join(BINARIES, "postgres"), ["--single", "-F", "-D", data, "postgres"], options);
    alone.child.stdin!.end(
      `create role kyros login createdb password '${PASSWORD}'\ncreate database kyros owner kyros\n`,
    );
    await alone;
    mkdirSync(CACHE, { recursive: true });
    await run("cp", ["-a", data, unfinished]);
    renameSync(unfinished, kept);
  } catch (error) {
    // Another test file may have been faster.
    if (!existsSync(kept)) throw error;
  } finally {
    for (const path of [directory, unfinished]) rmSync(path, { recursive: true, force: true });
  }
}
