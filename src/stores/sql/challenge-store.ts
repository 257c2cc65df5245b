import type { Challenge, ChallengeStore } from "../../identity/factors/challenge.ts";
import type { SqlDatabase } from "./database.ts";
import { PURGE_BATCH, purgeInBatches } from "./purge.ts";
import type { ChallengeRow } from "./schema.ts";

/** Challenges in a SQL database: shared by all instances, each change one statement. */
export function createSqlChallengeStore({ db, reader }: Pick<SqlDatabase, "db" | "reader">): ChallengeStore {
  return {
    async open(challenge) {
      await db.insertInto("challenges").values(toRow(challenge)).execute();
    },
    async find(hash, nowMs) {
      const row = await reader
        .selectFrom("challenges")
        .selectAll()
        .where("hash", "=", hash)
        .where("expires_at_ms", ">", nowMs)
        .executeTakeFirst();
      return row && toChallenge(row);
    },
    async try(hash, nowMs, mostTries) {
      const row = await db
        .updateTable("challenges")
        .set((update) => ({ tries: update("tries", "+", 1) }))
        .where("hash", "=", hash)
        .where("expires_at_ms", ">", nowMs)
        .where("tries", "<", mostTries)
        .returningAll()
        .executeTakeFirst();
      return row && toChallenge(row);
    },
    async consume(hash, nowMs) {
      const row = await db
        .deleteFrom("challenges")
        .where("hash", "=", hash)
        .where("expires_at_ms", ">", nowMs)
        .returningAll()
        .executeTakeFirst();
      return row && toChallenge(row);
    },
    async cancelAll(userId) {
      await db.deleteFrom("challenges").where("user_id", "=", userId).execute();
    },
    purge: (beforeMs) =>
      purgeInBatches(async () => {
        const expired = db
          .selectFrom("challenges")
          .select("hash")
          .where("expires_at_ms", "<", beforeMs)
          .limit(PURGE_BATCH);
        const result = await db.deleteFrom("challenges").where("hash", "in", expired).executeTakeFirst();
        return result.numDeletedRows;
      }),
  };
}

function toChallenge(row: ChallengeRow): Challenge {
  return {
    hash: row.hash,
    purpose: row.purpose as Challenge["purpose"],
    userId: row.user_id,
    boundTo: row.bound_to,
    sessionKind: row.session_kind as Challenge["sessionKind"],
    passwordChangedAtMs: row.password_changed_at_ms,
    roleChangedAtMs: row.role_changed_at_ms,
    tries: row.tries,
    expiresAtMs: row.expires_at_ms,
  };
}

function toRow(challenge: Challenge): ChallengeRow {
  return {
    hash: challenge.hash,
    purpose: challenge.purpose,
    user_id: challenge.userId,
    bound_to: challenge.boundTo,
    session_kind: challenge.sessionKind,
    password_changed_at_ms: challenge.passwordChangedAtMs,
    role_changed_at_ms: challenge.roleChangedAtMs,
    tries: challenge.tries,
    expires_at_ms: challenge.expiresAtMs,
  };
}
