import type { AuditStore, ChainHead, Statement } from "./audit-store.ts";
import { GENESIS } from "./chain.ts";
import { parseEntryLine, toLink } from "./entry-line.ts";
import { isSignedBy, looksLikeStatement, parseStatement } from "./statement.ts";
import { CHECKPOINT_EVERY } from "./trail.ts";
import type { ChainLink, Verdict } from "./verify-chain.ts";
import { verifyChain } from "./verify-chain.ts";

export interface Trusted {
  /** Whose signatures count: raw Ed25519 keys in base64url. */
  readonly publicKeys: readonly string[];
  /** A statement kept elsewhere, if there is one. */
  readonly checkpoint?: Statement;
}

const BATCH = 1000;

/** Verifies the entries of a store, its statements and its head against each other, and against what was kept elsewhere. */
export async function verifyStore(store: AuditStore, trusted: Trusted): Promise<Verdict> {
  // In this order: what is appended meanwhile can only be more than these speak of.
  const head = await store.head();
  const statements = await store.statements();
  const base: ChainHead = statements.findLast(({ kind }) => kind === "truncation") ?? GENESIS;
  const unsigned = unsignedOf([...statements, ...kept(trusted)], trusted);
  if (unsigned !== undefined) return unsigned;
  const noted = new Set(statements.map(({ seq }) => seq));
  for (let seq = nextCheckpoint(base.seq); seq <= (head?.seq ?? 0); seq += CHECKPOINT_EVERY) {
    if (!noted.has(seq)) return broken(seq, `the checkpoint at entry ${seq} is missing`);
  }
  const known = [...statements, ...kept(trusted), ...(head === undefined ? [] : [head])];
  return verifyChain(linksOf(store, base.seq), { base, known });
}

function nextCheckpoint(seq: number): number {
  return (Math.floor(seq / CHECKPOINT_EVERY) + 1) * CHECKPOINT_EVERY;
}

async function* linksOf(store: AuditStore, baseSeq: number): AsyncGenerator<readonly ChainLink[]> {
  for (let seq = baseSeq; ; ) {
    const entries = await store.entriesAfter(seq, BATCH);
    if (entries.length === 0) return;
    seq = entries.at(-1)!.seq;
    yield entries.map(toLink);
  }
}

/**
 * Verifies an export, given as batches of its lines: a truncation record where there was one, the entries, and a
 * checkpoint of the last of them, without which a cut would not show.
 */
export async function verifyExport(
  lines: AsyncIterable<readonly string[]>,
  trusted: Trusted,
): Promise<Verdict> {
  const unsignedKept = unsignedOf(kept(trusted), trusted);
  if (unsignedKept !== undefined) return unsignedKept;
  let base: ChainHead = GENESIS;
  let fault: Verdict | undefined;
  let count = 0;
  let seq = 0;
  let end: Statement | undefined;

  /** The links of a batch; a line that is none of them is a fault where it stands. */
  function read(batch: readonly string[]): ChainLink[] {
    const links: ChainLink[] = [];
    for (const line of batch) {
      count += 1;
      if (fault !== undefined) return links;
      if (end !== undefined) fault = broken(seq + 1, `line ${count} stands after the closing checkpoint`);
      else if (looksLikeStatement(line)) readStatement(line);
      else {
        const link = parseEntryLine(line);
        if (link === undefined)
          fault = broken(seq + 1, `line ${count} is no entry: entry ${seq + 1} was altered`);
        else {
          links.push(link);
          seq = link.seq;
        }
      }
    }
    return links;
  }

  function readStatement(line: string): void {
    const statement = parseStatement(line);
    fault =
      statement === undefined
        ? broken(seq + 1, `line ${count} is no statement of this trail`)
        : unsignedOf([statement], trusted);
    if (fault !== undefined || statement === undefined) return;
    if (statement.kind === "checkpoint") end = statement;
    else if (count === 1) base = statement;
    else fault = broken(seq + 1, `line ${count} is a truncation record, which only begins a file`);
  }

  const input = lines[Symbol.asyncIterator]();
  const first = await input.next();
  const firstLinks = first.done ? [] : read(first.value);
  async function* links(): AsyncGenerator<readonly ChainLink[]> {
    yield firstLinks;
    while (fault === undefined) {
      const next = await input.next();
      if (next.done) return;
      yield read(next.value);
    }
  }

  const verdict = await verifyChain(links(), { base, known: kept(trusted) });
  if (verdict.kind === "broken" && verdict.fault !== "truncated") return verdict;
  if (fault !== undefined) return fault;
  if (end === undefined)
    return { ...broken(seq + 1, "the closing checkpoint is missing"), fault: "truncated" };
  if (verdict.kind === "broken") return verdict;
  const { head } = verdict;
  if (end.seq > head.seq) {
    const finding = `entries ${head.seq + 1} to ${end.seq} are missing at the end`;
    return { ...broken(head.seq + 1, finding), fault: "truncated" };
  }
  if (end.seq < head.seq || end.hash !== head.hash) {
    return broken(end.seq, `the closing checkpoint is not one of entry ${head.seq}`);
  }
  return verdict;
}

function kept({ checkpoint }: Trusted): readonly Statement[] {
  return checkpoint === undefined ? [] : [checkpoint];
}

function unsignedOf(statements: readonly Statement[], { publicKeys }: Trusted): Verdict | undefined {
  const unsigned = statements.find((statement) => !isSignedBy(statement, publicKeys));
  if (unsigned === undefined) return undefined;
  return broken(
    unsigned.seq,
    `the ${unsigned.kind} at entry ${unsigned.seq} is not signed by a known key (see --public-key)`,
  );
}

function broken(seq: number, finding: string): Extract<Verdict, { kind: "broken" }> {
  return { kind: "broken", seq, fault: "rewritten", finding };
}
