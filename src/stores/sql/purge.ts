import { setImmediate as nextTurn } from "node:timers/promises";

/** Rows removed by one statement: a millisecond or two of work, so that neither requests nor other writers wait long. */
export const PURGE_BATCH = 250;

/** Repeats a delete of at most `PURGE_BATCH` rows until it finds fewer; resolves to how many it removed in all. */
export async function purgeInBatches(deleteBatch: () => Promise<bigint>): Promise<number> {
  let removed = 0;
  for (;;) {
    const count = Number(await deleteBatch());
    removed += count;
    if (count < PURGE_BATCH) return removed;
    await nextTurn();
  }
}
