import type { Session, SessionPage, SessionStore } from "../../identity/sessions/session.ts";
import { fromFlag, toFlag } from "./columns.ts";
import type { SqlDatabase } from "./database.ts";
import { PURGE_BATCH, purgeInBatches } from "./purge.ts";
import type { SessionRow } from "./schema.ts";

/** Sessions in a SQL database. */
export function createSqlSessionStore({ db, reads }: SqlDatabase): SessionStore {
  const { findById, findByKey } = reads.entities({
    table: "sessions",
    byId: db.selectFrom("sessions").selectAll().where("id", "=", "").compile(),
    byKey: db.selectFrom("sessions").selectAll().where("secret_hash", "=", "").compile(),
    fromRow: toSession,
    keyOf: (session) => session.secretHash,
  });

  async function start(session: Session): Promise<void> {
    await db.insertInto("sessions").values(toRow(session)).execute();
  }

  async function listLive(userId: string, nowMs: number, page?: SessionPage): Promise<readonly Session[]> {
    let rows = db
      .selectFrom("sessions")
      .selectAll()
      .where("user_id", "=", userId)
      .where("ended_at_ms", "is", null)
      .where("expires_at_ms", ">", nowMs)
      .where("idle_expires_at_ms", ">", nowMs)
      .orderBy("id", "desc");
    if (page !== undefined) rows = rows.limit(page.limit);
    if (page?.afterId !== undefined) rows = rows.where("id", "<", page.afterId);
    return (await rows.execute()).map(toSession);
  }

  async function touch(ids: readonly string[], lastSeenAtMs: number, idleExpiresAtMs: number): Promise<void> {
    await db
      .updateTable("sessions")
      .set({ last_seen_at_ms: lastSeenAtMs, idle_expires_at_ms: idleExpiresAtMs })
      .where("id", "in", ids)
      .where("ended_at_ms", "is", null)
      .where("expires_at_ms", ">", lastSeenAtMs)
      .where("idle_expires_at_ms", ">", lastSeenAtMs)
      .where("last_seen_at_ms", "<", lastSeenAtMs)
      .execute();
  }

  async function reauthenticate(
    id: string,
    currentHash: string | null,
    newHash: string | null,
    authenticatedAtMs: number,
    mfa?: boolean,
  ): Promise<boolean> {
    // A session neither gains a cookie nor loses it.
    if ((currentHash === null) !== (newHash === null)) return false;
    const result = await db
      .updateTable("sessions")
      .set({
        secret_hash: newHash,
        authenticated_at_ms: authenticatedAtMs,
        ...(mfa !== undefined && { mfa: toFlag(mfa) }),
      })
      .where("id", "=", id)
      .where("secret_hash", currentHash === null ? "is" : "=", currentHash)
      .where("ended_at_ms", "is", null)
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  async function end(id: string, userId: string, nowMs: number): Promise<boolean> {
    const result = await db
      .updateTable("sessions")
      .set({ ended_at_ms: nowMs })
      .where("id", "=", id)
      .where("user_id", "=", userId)
      .where("ended_at_ms", "is", null)
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  async function endAll(userId: string, nowMs: number, exceptId?: string): Promise<readonly string[]> {
    let query = db
      .updateTable("sessions")
      .set({ ended_at_ms: nowMs })
      .where("user_id", "=", userId)
      .where("ended_at_ms", "is", null)
      .returning("id");
    if (exceptId !== undefined) query = query.where("id", "!=", exceptId);
    return (await query.execute()).map((row) => row.id);
  }

  function purge(beforeMs: number): Promise<number> {
    return purgeInBatches(async () => {
      const dead = db
        .selectFrom("sessions")
        .select("id")
        .where((where) =>
          where.or([
            where("ended_at_ms", "<", beforeMs),
            where("expires_at_ms", "<", beforeMs),
            where("idle_expires_at_ms", "<", beforeMs),
          ]),
        )
        .limit(PURGE_BATCH);
      return (await db.deleteFrom("sessions").where("id", "in", dead).executeTakeFirst()).numDeletedRows;
    });
  }

  return {
    start,
    findById,
    findBySecretHash: findByKey,
    listLive,
    touch,
    reauthenticate,
    end,
    endAll,
    purge,
  };
}

/** A session of its row. */
export function toSession(row: SessionRow): Session {
  return {
    id: row.id,
    userId: row.user_id,
    kind: row.kind as Session["kind"],
    secretHash: row.secret_hash,
    userAgent: row.user_agent,
    address: row.address,
    createdAtMs: row.created_at_ms,
    lastSeenAtMs: row.last_seen_at_ms,
    authenticatedAtMs: row.authenticated_at_ms,
    mfa: fromFlag(row.mfa),
    expiresAtMs: row.expires_at_ms,
    idleExpiresAtMs: row.idle_expires_at_ms,
    endedAtMs: row.ended_at_ms,
  };
}

function toRow(session: Session): SessionRow {
  return {
    id: session.id,
    user_id: session.userId,
    kind: session.kind,
    secret_hash: session.secretHash,
    user_agent: session.userAgent,
    address: session.address,
    created_at_ms: session.createdAtMs,
    last_seen_at_ms: session.lastSeenAtMs,
    authenticated_at_ms: session.authenticatedAtMs,
    mfa: toFlag(session.mfa),
    expires_at_ms: session.expiresAtMs,
    idle_expires_at_ms: session.idleExpiresAtMs,
    ended_at_ms: session.endedAtMs,
  };
}
