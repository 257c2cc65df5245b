import type { AuditStore, ChainHead } from "../identity/audit/audit-store.ts";
import { DatabaseFault } from "../stores/database-fault.ts";
import { readTrailMark, trailMarkPath, writeTrailMark } from "./trail-mark.ts";

export interface RestoreGuardParts {
  readonly audit: Pick<AuditStore, "head" | "entriesAfter">;
  readonly dataDir: string;
  readonly databaseUrl: string;
  readonly onFailure: (error: unknown) => void;
}

export interface RestoreGuard {
  /** Notes the trail's head for the last time. */
  stop(): Promise<void>;
}

const EVERY_MS = 60_000;

/**
 * Refuses to start on a database whose audit trail is behind what this machine has seen of it, or another one: in a
 * restored backup, sessions and API keys that were ended since would live again (docs/decisions/0018-restored-backups.md). Then
 * notes the trail's head at once, every minute and at the stop. Throws `DatabaseFault`, or `Outage` as the store does.
 */
export async function startRestoreGuard(parts: RestoreGuardParts): Promise<RestoreGuard> {
  const { audit, dataDir, databaseUrl, onFailure } = parts;
  const path = trailMarkPath(dataDir, databaseUrl);
  if (path === undefined) return { stop: async () => undefined };
  let mark = readTrailMark(path);
  if (mark !== undefined) await assertGoesOn(audit, mark);
  let isFailing = false;

  async function note(): Promise<void> {
    try {
      const head = await audit.head();
      if (head === undefined || head.seq === mark?.seq) return;
      writeTrailMark(path!, head);
      mark = head;
      isFailing = false;
    } catch (error) {
      // A directory that is read-only for good is worth one line, not one a minute.
      if (!isFailing) onFailure(error);
      isFailing = true;
    }
  }
  await note();
  const timer = setInterval(note, EVERY_MS);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await note();
    },
  };
}

async function assertGoesOn(audit: RestoreGuardParts["audit"], mark: ChainHead): Promise<void> {
  const head = (await audit.head())?.seq ?? 0;
  if (head < mark.seq) throw restored(`its audit trail ends at entry ${head}, and ${mark.seq} was seen here`);
  const [entry] = await audit.entriesAfter(mark.seq - 1, 1);
  // An entry that is gone because of its age says nothing any more.
  if (entry?.seq === mark.seq && entry.hash !== mark.hash) {
    throw restored(`entry ${mark.seq} of its audit trail is not the one that was seen here`);
  }
}

function restored(why: string): DatabaseFault {
  return new DatabaseFault(
    `the database looks like a restored backup, in which ended sessions would live again: ${why}. ` +
      'Run "kyros migrate --accept-restore" to end all sessions, revoke all API keys and go on',
  );
}
