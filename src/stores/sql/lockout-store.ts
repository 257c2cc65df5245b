import type { Kysely } from "kysely";
import type {
  AttemptOutcome,
  JudgedAttempt,
  Lockout,
  LockoutStore,
  SignInAttempt,
} from "../../identity/accounts/lockout.ts";
import { ELSEWHERE, isLockedAt, judgeAttempt } from "../../identity/accounts/lockout.ts";
import type { SqlDatabase } from "./database.ts";
import { serializable } from "./database.ts";
import { PURGE_BATCH, purgeInBatches } from "./purge.ts";
import type { LockoutRow, Schema } from "./schema.ts";

/** Lockouts in a SQL database. */
export function createSqlLockoutStore({ db, reader }: Pick<SqlDatabase, "db" | "reader">): LockoutStore {
  /** What an attempt comes to by the rows of its place and of elsewhere, in one read. */
  async function judge(from: Kysely<Schema>, attempt: SignInAttempt): Promise<JudgedAttempt> {
    const rows = await from
      .selectFrom("lockouts")
      .selectAll()
      .where("name_hash", "=", attempt.nameHash)
      .where("place_hash", "in", [attempt.placeHash ?? ELSEWHERE, ELSEWHERE])
      .execute();
    const found = rows.map(toLockout);
    const elsewhere = found.find((one) => one.placeHash === ELSEWHERE);
    const place = found.find((one) => one.placeHash !== ELSEWHERE);
    const judged = judgeAttempt(attempt, place, elsewhere);
    return { ...judged, forgetsElsewhere: judged.forgetsElsewhere && elsewhere !== undefined };
  }

  async function settle(attempt: SignInAttempt): Promise<AttemptOutcome> {
    if (attempt.proved !== false) {
      // Nearly every right one leaves nothing behind: one read is then the whole atomic step. By `db` and not beside it,
      // where it would overtake the wrong ones of before that are still to be counted.
      const seen = await judge(db, attempt);
      if (seen.put === undefined && !seen.forgetsElsewhere) return seen.outcome;
    }
    return serializable(db, async (trx) => {
      const judged = await judge(trx, attempt);
      if (judged.forgetsElsewhere) {
        await trx
          .deleteFrom("lockouts")
          .where("name_hash", "=", attempt.nameHash)
          .where("place_hash", "=", ELSEWHERE)
          .execute();
      }
      if (judged.put !== undefined) {
        const row = toRow(judged.put);
        await trx
          .insertInto("lockouts")
          .values(row)
          .onConflict((conflict) => conflict.columns(["name_hash", "place_hash"]).doUpdateSet(row))
          .execute();
      }
      return judged.outcome;
    });
  }

  function unlock(nameHash: string, nowMs: number): Promise<boolean> {
    return serializable(db, async (trx) => {
      const rows = await trx.selectFrom("lockouts").selectAll().where("name_hash", "=", nameHash).execute();
      await trx
        .deleteFrom("lockouts")
        .where("name_hash", "=", nameHash)
        .where("place_hash", "=", ELSEWHERE)
        .execute();
      await trx
        .updateTable("lockouts")
        .set({ failures: 0, locked_until_ms: null })
        .where("name_hash", "=", nameHash)
        .execute();
      return rows.some((row) => isLockedAt(toLockout(row), nowMs));
    });
  }

  async function lockedUntil(
    nameHashes: readonly string[],
    nowMs: number,
  ): Promise<ReadonlyMap<string, number>> {
    // PostgreSQL has no empty list.
    if (nameHashes.length === 0) return new Map();
    const rows = await reader
      .selectFrom("lockouts")
      .select(["name_hash", (select) => select.fn.max("locked_until_ms").as("until_ms")])
      .where("name_hash", "in", nameHashes)
      .where("locked_until_ms", ">", nowMs)
      .groupBy("name_hash")
      .execute();
    return new Map(rows.map((row) => [row.name_hash, Number(row.until_ms)]));
  }

  function purge(beforeMs: number): Promise<number> {
    return purgeInBatches(async () => {
      const expired = db
        .selectFrom("lockouts")
        .select(["name_hash", "place_hash"])
        .where("expires_at_ms", "<", beforeMs)
        .limit(PURGE_BATCH)
        .$asTuple("name_hash", "place_hash");
      const result = await db
        .deleteFrom("lockouts")
        .where((where) => where(where.refTuple("name_hash", "place_hash"), "in", expired))
        .executeTakeFirst();
      return result.numDeletedRows;
    });
  }

  return { settle, unlock, lockedUntil, purge };
}

function toLockout(row: LockoutRow): Lockout {
  return {
    nameHash: row.name_hash,
    placeHash: row.place_hash,
    failures: row.failures,
    lockedUntilMs: row.locked_until_ms,
    signedInAtMs: row.signed_in_at_ms,
    expiresAtMs: row.expires_at_ms,
  };
}

function toRow(lockout: Lockout): LockoutRow {
  return {
    name_hash: lockout.nameHash,
    place_hash: lockout.placeHash,
    failures: lockout.failures,
    locked_until_ms: lockout.lockedUntilMs,
    signed_in_at_ms: lockout.signedInAtMs,
    expires_at_ms: lockout.expiresAtMs,
  };
}
