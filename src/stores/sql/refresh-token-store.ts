import type { Kysely } from "kysely";
import type {
  RefreshToken,
  RefreshTokenStore,
  RotateOutcome,
  RotateRequest,
} from "../../identity/tokens/refresh-token.ts";
import { judgeRotation, successorOf } from "../../identity/tokens/refresh-token.ts";
import type { SqlDatabase } from "./database.ts";
import { serializable } from "./database.ts";
import { PURGE_BATCH, purgeInBatches } from "./purge.ts";
import type { RefreshTokenRow, Schema } from "./schema.ts";
import { toSession } from "./session-store.ts";

/** Refresh tokens in a SQL database, beside the sessions they belong to. */
export function createSqlRefreshTokenStore({
  db,
  reader,
}: Pick<SqlDatabase, "db" | "reader">): RefreshTokenStore {
  async function issue(token: RefreshToken): Promise<void> {
    await db.insertInto("refresh_tokens").values(toRow(token)).execute();
  }

  function rotate(request: RotateRequest): Promise<RotateOutcome> {
    return serializable(db, async (trx): Promise<RotateOutcome> => {
      const token = await tokenOf(trx, request.hash);
      if (token === undefined) return judgeRotation(undefined, undefined, undefined, request);
      const session = await trx
        .selectFrom("sessions")
        .selectAll()
        .where("id", "=", token.sessionId)
        .executeTakeFirst();
      const successor = token.successorHash === null ? undefined : await tokenOf(trx, token.successorHash);
      const outcome = judgeRotation(token, session && toSession(session), successor, request);
      if (outcome.kind === "rotated") {
        await trx
          .updateTable("refresh_tokens")
          .set({ used_at_ms: request.nowMs, successor_hash: request.successorHash })
          .where("hash", "=", request.hash)
          .execute();
        await trx
          .insertInto("refresh_tokens")
          .values(toRow(successorOf(outcome, request)))
          .execute();
      } else if (outcome.kind === "reused") {
        await trx
          .updateTable("sessions")
          .set({ ended_at_ms: request.nowMs })
          .where("id", "=", outcome.sessionId)
          .execute();
      }
      return outcome;
    });
  }

  function purge(beforeMs: number): Promise<number> {
    return purgeInBatches(async () => {
      const expired = db
        .selectFrom("refresh_tokens")
        .select("hash")
        .where("refresh_tokens.expires_at_ms", "<", beforeMs)
        .where((where) =>
          where.or([
            where("used_at_ms", "is", null),
            where.not(
              where.exists(
                where
                  .selectFrom("sessions")
                  .select("sessions.id")
                  .whereRef("sessions.id", "=", "refresh_tokens.session_id")
                  .where("sessions.ended_at_ms", "is", null)
                  .where("sessions.expires_at_ms", ">=", beforeMs)
                  .where("sessions.idle_expires_at_ms", ">=", beforeMs),
              ),
            ),
          ]),
        )
        .limit(PURGE_BATCH);
      return (await db.deleteFrom("refresh_tokens").where("hash", "in", expired).executeTakeFirst())
        .numDeletedRows;
    });
  }

  return { issue, rotate, find: (hash) => tokenOf(reader, hash), purge };
}

async function tokenOf(db: Kysely<Schema>, hash: string): Promise<RefreshToken | undefined> {
  const row = await db.selectFrom("refresh_tokens").selectAll().where("hash", "=", hash).executeTakeFirst();
  return row && toToken(row);
}

function toToken(row: RefreshTokenRow): RefreshToken {
  return {
    hash: row.hash,
    sessionId: row.session_id,
    userId: row.user_id,
    issuedAtMs: row.issued_at_ms,
    expiresAtMs: row.expires_at_ms,
    usedAtMs: row.used_at_ms,
    successorHash: row.successor_hash,
  };
}

function toRow(token: RefreshToken): RefreshTokenRow {
  return {
    hash: token.hash,
    session_id: token.sessionId,
    user_id: token.userId,
    issued_at_ms: token.issuedAtMs,
    expires_at_ms: token.expiresAtMs,
    used_at_ms: token.usedAtMs,
    successor_hash: token.successorHash,
  };
}
