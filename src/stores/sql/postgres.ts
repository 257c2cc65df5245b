import { Kysely, PostgresDialect } from "kysely";
import type { Bus } from "../../kernel/bus.ts";
import { Outage } from "../../kernel/failure.ts";
import type { BreakerView } from "../breaker.ts";
import { createBreaker } from "../breaker.ts";
import { DatabaseFault } from "../database-fault.ts";
import type { OutageEvents } from "../outage-events.ts";
import { outageEvents } from "../outage-events.ts";
import type { ChangeJournal } from "./change-journal.ts";
import { followChanges } from "./change-journal.ts";
import type { SqlDatabase } from "./database.ts";
import { keepJournalShort } from "./journal-pruning.ts";
import { createJournalReads } from "./journal-reads.ts";
import { toOpenError } from "./postgres-errors.ts";
import { createPostgresGate } from "./postgres-gate.ts";
import type { PostgresLimits, PostgresPool } from "./postgres-pool.ts";
import { createPostgresPool } from "./postgres-pool.ts";
import { createPostgresProbe } from "./postgres-probe.ts";
import type { PostgresTarget } from "./postgres-url.ts";
import { readPostgresUrl } from "./postgres-url.ts";
import type { Schema } from "./schema.ts";
import { watchPostgres } from "./watch-postgres.ts";

/** A call ends within 5 s, answered or as an `Outage`; two more connections of an instance follow the journal and probe. */
const LIMITS: PostgresLimits = { connections: 10, connectMs: 2000, statementMs: 3000, callMs: 5000 };
/** A migration may rewrite a table, and waits for another instance that does. */
const MIGRATION_LIMITS: PostgresLimits = {
  connections: 1,
  connectMs: 2000,
  statementMs: 600_000,
  callMs: 600_000,
};
/** A probe is asked for more often than a database fails, and by something that is waiting for it. */
const PROBE_MS = 2000;
/** The first with transaction ids of 64 bits. */
const OLDEST_VERSION = 130_000;

export interface PostgresOptions {
  readonly monotonicMs: () => number;
  readonly bus?: Bus | undefined;
  /** Where it is told that the server is away, and back. */
  readonly outages?: OutageEvents | undefined;
}

export interface PostgresDatabase extends SqlDatabase {
  /** While it is not closed, every call is an `Outage` at once. */
  readonly breaker: BreakerView;
  /** Throws `Outage` where the database does not answer within 2 s, at once while the breaker is not closed. */
  probe(): Promise<void>;
  /** Runs `work` on a connection with time for a migration; caches follow the schema afterwards. */
  migrating<T>(work: (db: Kysely<Schema>) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * Opens the PostgreSQL that a URL names. Throws `DatabaseFault` where the URL, the login, the certificate or the
 * server's version will not do, and `Outage` where the server does not answer within 5 s.
 */
export async function openPostgres(url: string, options: PostgresOptions): Promise<PostgresDatabase> {
  const target = readPostgresUrl(url);
  const { monotonicMs, bus, outages } = options;
  const gate = createPostgresGate();
  const pool = createPostgresPool({
    target,
    limits: LIMITS,
    gate,
    monotonicMs,
    onWrite: () => tellChanges(),
  });
  try {
    await refuseOldVersion(pool);
  } catch (error) {
    await pool.end();
    throw toOpenError(error);
  }
  const reads = createJournalReads({
    isFresh: () => gate.isOpen && journal.isFresh(),
    async find(query, value) {
      // Not prepared by name: a kept plan of `select *` fails once a newer version has added a column.
      const [row] = await pool.read({ text: query.sql, values: [value], withinMs: LIMITS.callMs });
      return row;
    },
  });
  const journal: ChangeJournal = followChanges({
    target,
    monotonicMs,
    bus,
    evict: reads.evict,
    evictAll: reads.evictAll,
  });
  const told =
    outages && outageEvents(outages, { subject: "database", recovered: "the database answers again" });
  const breaker = createBreaker({
    onOpen(cause) {
      gate.shut(cause);
      // Behind the name there may be another server once it is back.
      pool.cut();
      journal.distrust();
      told?.onOpen(cause);
    },
    onClose() {
      gate.reopen();
      told?.onClose();
    },
  });
  const probe = createPostgresProbe(target);
  const watch = watchPostgres({ breaker, ask: probe.ask });
  let closing: Promise<unknown> | undefined;
  const pruning = keepJournalShort(pool);

  /** A writer is answered once its change has been evicted here; the others hear of it at the same time. */
  async function tellChanges(): Promise<void> {
    journal.announce();
    await journal.catchUp();
  }

  const db = openKysely(pool);
  return {
    db,
    reader: db,
    reads,
    breaker,
    async probe() {
      await pool.read({ text: "select 1", withinMs: PROBE_MS });
    },
    async migrating(work) {
      if (closing !== undefined) throw new Outage("database", { cause: new Error("it is closed") });
      return withMigrationPool(target, monotonicMs, work);
    },
    async close() {
      pruning.stop();
      watch.stop();
      closing ??= Promise.all([journal.close(), pool.end(), probe.close()]);
      await closing;
    },
  };
}

function openKysely(pool: PostgresPool): Kysely<Schema> {
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
}

async function withMigrationPool<T>(
  target: PostgresTarget,
  monotonicMs: () => number,
  work: (db: Kysely<Schema>) => Promise<T>,
): Promise<T> {
  const gate = createPostgresGate();
  const limits = MIGRATION_LIMITS;
  const pool = createPostgresPool({ target, limits, gate, monotonicMs, onWrite: async () => {} });
  try {
    return await work(openKysely(pool));
  } finally {
    await pool.end();
  }
}

async function refuseOldVersion(pool: PostgresPool): Promise<void> {
  const query = {
    text: "select current_setting('server_version_num')::int as version",
    withinMs: LIMITS.callMs,
  };
  const [row] = await pool.read<{ version: number }>(query);
  if (row === undefined || row.version < OLDEST_VERSION) {
    throw new DatabaseFault("the database is older than PostgreSQL 13: use a newer one");
  }
}
