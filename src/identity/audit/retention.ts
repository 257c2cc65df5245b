import type { AuditStore, ChainHead } from "./audit-store.ts";
import { GENESIS } from "./chain.ts";
import type { StatementSigner } from "./statement.ts";

const BATCH = 1000;

/**
 * Removes entries from before `beforeMs`, up to the first that is younger, and leaves a signed record of where the
 * chain goes on. The latest entry stays, however old. Resolves to how many were removed.
 */
export async function truncateTrail(
  store: AuditStore,
  signer: StatementSigner,
  beforeMs: number,
  nowMs: number,
): Promise<number> {
  const statements = await store.statements();
  const earlier = statements.findLast(({ kind }) => kind === "truncation");
  const latest = (await store.head()) ?? GENESIS;
  let last: ChainHead = earlier ?? GENESIS;
  for (;;) {
    const entries = await store.entriesAfter(last.seq, BATCH);
    const young = entries.findIndex(({ atMs, seq }) => atMs >= beforeMs || seq >= latest.seq);
    const old = young < 0 ? entries : entries.slice(0, young);
    last = old.at(-1) ?? last;
    if (old.length < BATCH) break;
  }
  if (last.seq <= (earlier?.seq ?? 0)) return 0;
  return store.truncate(signer.sign("truncation", last, nowMs));
}
