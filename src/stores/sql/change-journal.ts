import pg from "pg";
import type { Bus } from "../../kernel/bus.ts";
import type { Evictions, JournalEntry } from "./journal-position.ts";
import { createJournalPosition, MOST_ENTRIES } from "./journal-position.ts";
import { ask } from "./postgres-connection.ts";
import { keepListening } from "./postgres-listener.ts";
import type { PostgresTarget } from "./postgres-url.ts";

/** The journal is looked into this often where nothing hints at a change (ms). */
const HEARTBEAT_MS = 250;
/** Caches are trusted this long after the last look began (ms); what is promised is 1 s. */
const FRESH_MS = 750;
/** A look that takes longer gives up its connection (ms). */
const LOOK_MS = 2000;

export interface ChangeJournalOptions extends Evictions {
  readonly target: PostgresTarget;
  readonly monotonicMs: () => number;
  /** A further way to hear of changes sooner; the database's own notifications always serve. */
  readonly bus?: Bus | undefined;
}

export interface ChangeJournal {
  /** Whether every change that was committed up to `FRESH_MS` ago has been evicted. */
  isFresh(): boolean;
  /** Resolves when every change that is committed by now has been evicted, or caches are no longer trusted. */
  catchUp(): Promise<void>;
  /** Hints to every instance that there is something new. */
  announce(): void;
  /** No longer trusts caches, until a look on a new connection has succeeded. */
  distrust(): void;
  close(): Promise<void>;
}

interface Look {
  readonly horizon: string;
  readonly standby: boolean;
  readonly whole: boolean;
  readonly entries: readonly JournalEntry[];
}

/** One statement, and so one snapshot. A server that has become a standby is behind, and no source of truth. */
const LOOK = `
  select pg_snapshot_xmin(pg_current_snapshot())::text as horizon,
    pg_is_in_recovery() as standby,
    exists (select from changes where xid < $1::text::xid8) as whole,
    (select coalesce(json_agg(json_build_array(seq, table_name, row_key)), '[]')
      from (select * from changes where xid >= $1::text::xid8 limit ${MOST_ENTRIES + 1}) entry) as entries`;

/** Follows the journal of changes, on a connection of its own so that no crowd of requests delays it. */
export function followChanges(options: ChangeJournalOptions): ChangeJournal {
  const { target, monotonicMs, bus } = options;
  const position = createJournalPosition(options);
  let trustedFromMs = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  /** Measured from before the question: whatever was committed by then is in the answer. */
  async function look(): Promise<void> {
    const { client } = listener;
    const beganAtMs = monotonicMs();
    try {
      if (client === undefined) throw new Error("there is no connection");
      const query = { name: "kyros_look", text: LOOK, values: [position.from], withinMs: LOOK_MS };
      const { rows } = await ask<Look>(client, query);
      const [answer] = rows;
      if (answer === undefined || answer.standby) throw new Error("the server is a standby");
      if (listener.client !== client) throw new Error("the connection was lost");
      position.take(answer);
      trustedFromMs = beganAtMs;
    } catch (error) {
      trustedFromMs = Number.NEGATIVE_INFINITY;
      if (client !== undefined && client === listener.client && !(error instanceof pg.DatabaseError)) {
        listener.drop();
      }
    }
  }

  /** A look under way may have missed what the caller means, so the caller's is the one after it. */
  function catchUp(): Promise<void> {
    if (running === undefined) {
      running = look().finally(() => {
        running = undefined;
      });
      return running;
    }
    next ??= running.then(() => {
      next = undefined;
      return catchUp();
    });
    return next;
  }

  const listener = keepListening({
    target,
    channel: "kyros_changes",
    onNotification: () => void catchUp(),
    onOpen() {
      // The server may have lost commits, or be another one: nothing of before is built upon.
      position.reset();
      void catchUp();
    },
  });
  const unsubscribe = bus?.subscribe("changes", () => void catchUp());
  const heartbeat = setInterval(() => {
    if (running === undefined) void catchUp();
  }, HEARTBEAT_MS);
  heartbeat.unref();

  return {
    isFresh: () => monotonicMs() - trustedFromMs < FRESH_MS,
    catchUp,
    announce: () => bus?.publish("changes", ""),
    distrust() {
      trustedFromMs = Number.NEGATIVE_INFINITY;
      listener.drop();
    },
    async close() {
      clearInterval(heartbeat);
      unsubscribe?.();
      trustedFromMs = Number.NEGATIVE_INFINITY;
      await listener.close();
      await running;
      trustedFromMs = Number.NEGATIVE_INFINITY;
    },
  };
}
