import type { PostgresPool } from "./postgres-pool.ts";

const EVERY_MS = 60_000;
const WITHIN_MS = 3000;

/**
 * Removes entries older than ten minutes, but for the last of these, by which followers know that none after it is
 * missing. An entry of a transaction that is still to come was restored from a dump of another server, whose count was
 * ahead; an empty entry is noted in the place of all such.
 */
const PRUNE = `
  with foreigners as (
    delete from changes where xid >= pg_snapshot_xmax(pg_current_snapshot()) returning 1
  ), outdated as (
    delete from changes where xid < (
      select max(xid) from changes
      where noted_at < now() - interval '10 minutes' and xid < pg_snapshot_xmin(pg_current_snapshot())
    )
  )
  insert into changes (table_name, row_key) select '', '' where exists (select from foreigners)`;

/** Keeps the journal of changes short, now and once a minute. What fails is done the next time, or by another instance. */
export function keepJournalShort(pool: PostgresPool): { stop(): void } {
  const prune = (): void => {
    pool.read({ text: PRUNE, withinMs: WITHIN_MS }).catch(() => undefined);
  };
  prune();
  const timer = setInterval(prune, EVERY_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
