import type { ChainHead } from "./audit-store.ts";
import { entryHash } from "./chain.ts";

/** An entry as verification sees it: its canonical form, and what that form and its hash say of its place. */
export interface ChainLink {
  readonly seq: number;
  readonly previousHash: string;
  readonly hash: string;
  readonly canonical: string;
}

export type Fault = "altered" | "missing" | "swapped" | "inserted" | "truncated" | "rewritten";

export type Verdict =
  | { readonly kind: "whole"; readonly entries: number; readonly base: ChainHead; readonly head: ChainHead }
  | {
      readonly kind: "broken";
      /** The first entry that is not as it was. */
      readonly seq: number;
      readonly fault: Fault;
      /** One line for people. */
      readonly finding: string;
    };

export interface VerifyOptions {
  /** Where the chain begins: `GENESIS`, or what a truncation record says. */
  readonly base: ChainHead;
  /** Points that are known to be of this chain, from statements whose signatures were checked. */
  readonly known: readonly ChainHead[];
}

/**
 * Walks the entries in the order in which they are given and tells whether they are the chain that grew from `base`
 * and through every known point: at most one pass, one batch in memory, and no opinion on where they come from.
 */
export async function verifyChain(
  batches: AsyncIterable<readonly ChainLink[]>,
  { base, known }: VerifyOptions,
): Promise<Verdict> {
  const hashAt = new Map(known.map(({ seq, hash }) => [seq, hash]));
  let { seq, hash } = base;
  const rewritten = rewrittenAt(hashAt, base);
  if (rewritten !== undefined) return rewritten;
  /** The first link that does not fit: what follows it tells what happened. */
  let misfit: ChainLink | undefined;
  for await (const batch of batches) {
    for (const link of batch) {
      if (misfit !== undefined) return diagnose({ seq, hash }, misfit, link);
      if (link.seq !== seq + 1 || link.previousHash !== hash || entryHash(link.canonical) !== link.hash) {
        misfit = link;
        continue;
      }
      seq = link.seq;
      hash = link.hash;
      const expected = hashAt.get(seq);
      if (expected !== undefined && expected !== hash) return rewrittenAt(hashAt, link)!;
    }
  }
  if (misfit !== undefined) return diagnose({ seq, hash }, misfit, undefined);
  const last = known.reduce((highest, point) => Math.max(highest, point.seq), base.seq);
  if (last > seq) {
    const which = last === seq + 1 ? `entry ${last} is` : `entries ${seq + 1} to ${last} are`;
    return broken(seq + 1, "truncated", `${which} missing at the end`);
  }
  return { kind: "whole", entries: seq - base.seq, base, head: { seq, hash } };
}

/** Every entry hashes to what it should and yet a known point says otherwise: all of it was written anew. */
function rewrittenAt(hashAt: ReadonlyMap<number, string>, { seq, hash }: ChainHead): Verdict | undefined {
  const expected = hashAt.get(seq);
  if (expected === undefined || expected === hash) return undefined;
  const finding = `entry ${seq} is not the one that was noted: the chain up to it was rewritten`;
  return broken(seq, "rewritten", finding);
}

function diagnose(last: ChainHead, misfit: ChainLink, next: ChainLink | undefined): Verdict {
  const wanted = last.seq + 1;
  const fits = (link: ChainLink | undefined) =>
    link?.seq === wanted && link.previousHash === last.hash && entryHash(link.canonical) === link.hash;
  if (fits(next)) {
    return misfit.seq > wanted
      ? broken(wanted, "swapped", `entries ${wanted} and ${misfit.seq} stand in each other's place`)
      : broken(misfit.seq, "inserted", `an entry numbered ${misfit.seq} was inserted before entry ${wanted}`);
  }
  if (misfit.seq < wanted) {
    return broken(
      misfit.seq,
      "inserted",
      `an entry numbered ${misfit.seq} stands again after entry ${last.seq}`,
    );
  }
  if (misfit.seq > wanted) {
    const which =
      misfit.seq - 1 === wanted ? `entry ${wanted} is` : `entries ${wanted} to ${misfit.seq - 1} are`;
    return broken(wanted, "missing", `${which} missing`);
  }
  if (entryHash(misfit.canonical) !== misfit.hash) {
    return broken(wanted, "altered", `entry ${wanted} does not match its hash`);
  }
  return broken(
    wanted,
    "altered",
    `entry ${wanted} does not follow the one before it: one of the two was replaced`,
  );
}

function broken(seq: number, fault: Fault, finding: string): Verdict {
  return { kind: "broken", seq, fault, finding };
}
