import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { makeDirectory } from "../kernel/make-directory.ts";
import { randomToken, systemRandom } from "../kernel/random.ts";
import { secret as secretKind } from "./secret-kinds.ts";
import { printable } from "./setting-text.ts";
import type { Settings } from "./settings.ts";
import { SettingsFault } from "./settings-fault.ts";

const OTHERS_MAY_WRITE = 0o022;
const OTHERS_MAY_ANYTHING = 0o077;

/**
 * The secret that keys are derived from: the given one, or in development the one in `<data dir>/secret`, made by
 * `generate` at the first start. Throws `SettingsFault` where there is none and none may be made, or where others could
 * know or replace it.
 */
export function resolveSecret(settings: Settings, generate: () => string): string {
  if (settings.secret !== undefined) return settings.secret;
  if (settings.environment !== "development") {
    throw new SettingsFault([{ variable: "KYROS_SECRET", fault: "is not set", allowed: secretKind.allowed }]);
  }
  const path = join(settings.dataDir, "secret");
  try {
    openDirectory(settings.dataDir);
    return readSecret(path) ?? keepSecret(path, generate()) ?? fail(path, "vanished while it was made");
  } catch (error) {
    if (error instanceof SettingsFault) throw error;
    if (!isSystemError(error)) throw error;
    return fail(path, `cannot be read or made (${error.code})`);
  }
}

function fail(path: string, fault: string): never {
  throw new SettingsFault([
    {
      variable: "KYROS_DATA_DIR",
      fault: `has a development secret that ${fault}: ${printable(path)}`,
      allowed: "a file that Kyros made for this user, mode 0600; delete it to have a new one",
    },
  ]);
}

function directoryFault(fault: string): SettingsFault {
  return new SettingsFault([
    { variable: "KYROS_DATA_DIR", fault, allowed: "a directory that this user may write, of mode 0700" },
  ]);
}

function isSystemError(error: unknown): error is Error & { readonly code: unknown } {
  return error instanceof Error && "code" in error;
}

function openDirectory(path: string): void {
  try {
    makeDirectory(path);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw directoryFault(`cannot be made (${error.code}): ${printable(path)}`);
  }
  const { mode } = statSync(path);
  if (process.platform === "win32" || (mode & OTHERS_MAY_WRITE) === 0) return;
  throw directoryFault(`is a directory that others can write to: ${printable(path)}`);
}

/** The secret that is there, if it is only ours; `undefined` where there is none. A link is not followed. */
function readSecret(path: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(
      path,
      constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
    );
  } catch (error) {
    if (isSystemError(error) && error.code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile() || stat.size > 4096) fail(path, "is damaged");
    if (process.platform !== "win32") {
      if ((stat.mode & OTHERS_MAY_ANYTHING) !== 0) fail(path, "others can read or write");
      if (stat.uid !== process.geteuid?.()) fail(path, "belongs to another user");
    }
    const reading = secretKind.read(readFileSync(descriptor, "latin1").replace(/\n$/, ""));
    return "value" in reading ? reading.value : fail(path, "is damaged");
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Keeps a new secret unless another start has just kept one; what is there then counts, for both. It is written and
 * synced under a name of its own and linked to its place, so that nobody ever reads half a secret.
 */
function keepSecret(path: string, secret: string): string | undefined {
  if ("faults" in secretKind.read(secret)) throw new TypeError("generate() gave no valid secret");
  const draft = `${path}.${randomToken(systemRandom, 12)}`;
  const descriptor = openSync(draft, "wx", 0o600);
  try {
    try {
      writeSync(descriptor, `${secret}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    linkSync(draft, path);
  } catch (error) {
    if (!isSystemError(error) || error.code !== "EEXIST") throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return readSecret(path);
}
