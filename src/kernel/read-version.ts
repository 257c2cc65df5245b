/**
 * A number that is the same for as long as nothing has changed that a read may find; `undefined` while that cannot be
 * told. What was read between two equal numbers still holds. Throws what the read itself would.
 */
export type ReadVersion = () => number | undefined;

const VERSION = Symbol("kyros.readVersion");

interface VersionedRead {
  readonly [VERSION]?: ReadVersion;
}

const UNTOLD: ReadVersion = () => undefined;

/** The same read, with what tells whether its answers still hold: whoever replaces the one loses the other with it. */
export function withVersion<T extends (key: string) => unknown>(read: T, version: ReadVersion): T {
  return Object.assign(read, { [VERSION]: version });
}

/** The version of what all these reads find together; never told unless they all have the same. */
export function versionOf(reads: readonly ((key: string) => unknown)[]): ReadVersion {
  const [version, ...others] = reads.map((read) => (read as VersionedRead)[VERSION]);
  return version !== undefined && others.every((other) => other === version) ? version : UNTOLD;
}
