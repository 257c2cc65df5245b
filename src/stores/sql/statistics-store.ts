import type { Kysely } from "kysely";
import { sql } from "kysely";
import type { Count, RoleCount, StatisticsStore } from "../../identity/statistics/statistics-store.ts";
import type { EventName } from "../../kernel/audit-event.ts";
import type { Role } from "../../kernel/principal.ts";
import { ROLES } from "../../kernel/principal.ts";
import type { SqlDatabase } from "./database.ts";
import type { Schema } from "./schema.ts";

/** Statistics of a SQL database: each number is a walk along an index that ends after `mostRows` rows. */
export function createSqlStatisticsStore({ db }: Pick<SqlDatabase, "db">): StatisticsStore {
  async function usersOf(role: Role, most: number): Promise<RoleCount> {
    const { looked, disabled } = await usersQuery(db, role, most).executeTakeFirstOrThrow();
    return {
      role,
      total: Number(looked),
      disabled: Number(disabled ?? 0),
      isPartial: Number(looked) === most,
    };
  }

  async function signInsOf(type: EventName, sinceMs: number, most: number): Promise<Count> {
    const { looked, told } = await signInsQuery(db, type, sinceMs, most).executeTakeFirstOrThrow();
    return countOf(told, looked, most);
  }

  return {
    async read({ nowMs, keysExpiringUntilMs, signInsSinceMs, mostRows }) {
      const users: RoleCount[] = [];
      for (const role of ROLES) users.push(await usersOf(role, mostRows));
      const sessions = await sessionsQuery(db, nowMs, mostRows).executeTakeFirstOrThrow();
      const keys = await keysQuery(db, nowMs, keysExpiringUntilMs, mostRows).executeTakeFirstOrThrow();
      return {
        users,
        liveSessions: countOf(sessions.live, sessions.looked, mostRows),
        liveKeys: countOf(keys.live, keys.looked, mostRows),
        expiringKeys: countOf(keys.expiring, keys.looked, mostRows),
        signInsSucceeded: await signInsOf("auth.login.succeeded", signInsSinceMs, mostRows),
        signInsFailed: await signInsOf("auth.login.failed", signInsSinceMs, mostRows),
      };
    },
  };
}

function countOf(value: unknown, looked: unknown, most: number): Count {
  return { value: Number(value ?? 0), isPartial: Number(looked) === most };
}

export function usersQuery(db: Kysely<Schema>, role: Role, most: number) {
  const rows = db.selectFrom("accounts").select("disabled").where("role", "=", role).limit(most);
  return db
    .selectFrom(rows.as("latest"))
    .select(({ fn }) => [fn.countAll().as("looked"), fn.sum("disabled").as("disabled")]);
}

export function sessionsQuery(db: Kysely<Schema>, nowMs: number, most: number) {
  const rows = db
    .selectFrom("sessions")
    .select(["ended_at_ms", "expires_at_ms"])
    .where("idle_expires_at_ms", ">", nowMs)
    .orderBy("idle_expires_at_ms", "desc")
    .limit(most);
  const isLive = sql`ended_at_ms is null and expires_at_ms > ${nowMs}`;
  return db
    .selectFrom(rows.as("latest"))
    .select(({ fn }) => [fn.countAll().as("looked"), ones(isLive).as("live")]);
}

export function keysQuery(db: Kysely<Schema>, nowMs: number, soonMs: number, most: number) {
  const rows = db
    .selectFrom("api_keys")
    .select(["revoked_at_ms", "expires_at_ms"])
    .orderBy("id", "desc")
    .limit(most);
  const isLive = sql`revoked_at_ms is null and (expires_at_ms is null or expires_at_ms > ${nowMs})`;
  return db
    .selectFrom(rows.as("latest"))
    .select(({ fn }) => [
      fn.countAll().as("looked"),
      ones(isLive).as("live"),
      ones(sql`${isLive} and expires_at_ms <= ${soonMs}`).as("expiring"),
    ]);
}

export function signInsQuery(db: Kysely<Schema>, type: EventName, sinceMs: number, most: number) {
  const rows = db
    .selectFrom("audit_entries")
    .select("count")
    .where("type", "=", type)
    .where("at_ms", ">=", sinceMs)
    .orderBy("at_ms", "desc")
    .limit(most);
  return db
    .selectFrom(rows.as("latest"))
    .select(({ fn }) => [fn.countAll().as("looked"), fn.sum("count").as("told")]);
}

/** How many rows something holds of. */
function ones(condition: ReturnType<typeof sql>) {
  return sql<unknown>`sum(case when ${condition} then 1 else 0 end)`;
}
