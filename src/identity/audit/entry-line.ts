import type { AuditEntry } from "./audit-store.ts";
import { canonicalEntry } from "./canonical.ts";
import type { ChainLink } from "./verify-chain.ts";

const HEAD = /^\{"seq":([1-9][0-9]{0,15}),"previous":"([A-Za-z0-9_-]{43})",/;
/** `,"hash":"` and the 43 characters, `"}`. */
const TAIL = /^,"hash":"([A-Za-z0-9_-]{43})"\}$/;
const TAIL_LENGTH = 54;

/** An entry as verification sees it. */
export function toLink(entry: AuditEntry): ChainLink {
  return {
    seq: entry.seq,
    previousHash: entry.previousHash,
    hash: entry.hash,
    canonical: canonicalEntry(entry),
  };
}

/** An entry as one line of an export: its canonical form, with its hash as the last member. */
export function entryLine(entry: AuditEntry): string {
  return `${canonicalEntry(entry).slice(0, -1)},"hash":"${entry.hash}"}`;
}

/**
 * Reads a line that `entryLine` wrote; `undefined` for a text that is plainly none. Byte for byte what is hashed is
 * what stands in the file: nothing is parsed and written again, so that no reading of JSON can hide a change.
 */
export function parseEntryLine(line: string): ChainLink | undefined {
  const head = HEAD.exec(line);
  const tail = TAIL.exec(line.slice(-TAIL_LENGTH));
  if (head === null || tail === null) return undefined;
  return {
    seq: Number(head[1]),
    previousHash: head[2]!,
    hash: tail[1]!,
    canonical: `${line.slice(0, -TAIL_LENGTH)}}`,
  };
}
