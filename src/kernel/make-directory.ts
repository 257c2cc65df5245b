import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a directory and those above it that are missing, for this user alone (0700); one that is there stays as it is.
 * Throws the system's error where that cannot be done.
 */
export function makeDirectory(path: string): void {
  try {
    makeOne(path);
  } catch (error) {
    const parent = dirname(path);
    if (parent === path || !(error instanceof Error && "code" in error && error.code === "ENOENT"))
      throw error;
    makeDirectory(parent);
    // Once more, and no more: with `recursive`, Node.js tries for ever where a file system answers ENOENT below a
    // directory that is there, as /proc does.
    makeOne(path);
  }
}

function makeOne(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Of one that is there, systems say EEXIST, EROFS, EISDIR or EPERM.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}
