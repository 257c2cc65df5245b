import type { FactorStore, FactorSummary, TotpFactor } from "../../identity/factors/factor.ts";
import { NO_FACTORS } from "../../identity/factors/factor.ts";
import type { SqlDatabase } from "./database.ts";
import { serializable } from "./database.ts";
import { factorSummaries } from "./factor-summaries.ts";
import { createSqlPasskeys } from "./passkeys.ts";
import { forgetCodesWithoutFactor, setRecoveryCodes } from "./recovery-codes.ts";
import type { TotpFactorRow } from "./schema.ts";

/** Second factors in a SQL database. */
export function createSqlFactorStore(database: Pick<SqlDatabase, "db" | "reader">): FactorStore {
  const { db, reader } = database;

  async function summaryOf(userId: string): Promise<FactorSummary> {
    return (await factorSummaries(reader, [userId])).get(userId) ?? NO_FACTORS;
  }

  return {
    summaryOf,
    summariesOf: (userIds) => factorSummaries(reader, userIds),
    ...createSqlTotp(database),
    ...createSqlPasskeys(database),

    replaceRecoveryCodes: (userId, hashes) =>
      serializable(db, async (trx) => {
        const { totp, passkeys } = (await factorSummaries(trx, [userId])).get(userId) ?? NO_FACTORS;
        if (!totp && passkeys === 0) return false;
        await setRecoveryCodes(trx, userId, hashes);
        return true;
      }),
    async useRecoveryCode(userId, hash) {
      const result = await db
        .deleteFrom("recovery_codes")
        .where("user_id", "=", userId)
        .where("hash", "=", hash)
        .executeTakeFirst();
      return result.numDeletedRows > 0n;
    },

    removeAll: (userId) =>
      serializable(db, async (trx) => {
        const before = (await factorSummaries(trx, [userId])).get(userId) ?? NO_FACTORS;
        for (const table of ["totp_factors", "recovery_codes", "passkeys"] as const) {
          await trx.deleteFrom(table).where("user_id", "=", userId).execute();
        }
        return before;
      }),
  };
}

type Totp = Pick<
  FactorStore,
  | "findTotp"
  | "offerTotp"
  | "confirmTotp"
  | "useTotpStep"
  | "listTotpSealedOtherwise"
  | "resealTotp"
  | "removeTotp"
>;

function createSqlTotp({ db, reader }: Pick<SqlDatabase, "db" | "reader">): Totp {
  return {
    async findTotp(userId) {
      const row = await reader
        .selectFrom("totp_factors")
        .selectAll()
        .where("user_id", "=", userId)
        .executeTakeFirst();
      return row && toTotp(row);
    },
    async offerTotp(factor) {
      const row = toRow(factor);
      const result = await db
        .insertInto("totp_factors")
        .values(row)
        .onConflict((conflict) =>
          conflict.column("user_id").doUpdateSet(row).where("totp_factors.confirmed_at_ms", "is", null),
        )
        .executeTakeFirst();
      return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
    },
    confirmTotp: ({ id, userId, step, nowMs, recoveryCodeHashes }) =>
      serializable(db, async (trx) => {
        const result = await trx
          .updateTable("totp_factors")
          .set({ confirmed_at_ms: nowMs, last_step: step })
          .where("id", "=", id)
          .where("user_id", "=", userId)
          .where("confirmed_at_ms", "is", null)
          .executeTakeFirst();
        if (result.numUpdatedRows === 0n) return false;
        await setRecoveryCodes(trx, userId, recoveryCodeHashes);
        return true;
      }),
    async useTotpStep(id, step) {
      const result = await db
        .updateTable("totp_factors")
        .set({ last_step: step })
        .where("id", "=", id)
        .where("confirmed_at_ms", "is not", null)
        .where((where) => where.or([where("last_step", "is", null), where("last_step", "<", step)]))
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    async listTotpSealedOtherwise(prefix, limit, afterUserId = "") {
      const rows = await db
        .selectFrom("totp_factors")
        .selectAll()
        .where((where) => where.not(where("sealed_secret", "like", `${prefix}%`)))
        .where("user_id", ">", afterUserId)
        .orderBy("user_id")
        .limit(limit)
        .execute();
      return rows.map(toTotp);
    },
    async resealTotp(id, current, sealedSecret) {
      const result = await db
        .updateTable("totp_factors")
        .set({ sealed_secret: sealedSecret })
        .where("id", "=", id)
        .where("sealed_secret", "=", current)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    removeTotp: (userId) =>
      serializable(db, async (trx) => {
        const result = await trx.deleteFrom("totp_factors").where("user_id", "=", userId).executeTakeFirst();
        await forgetCodesWithoutFactor(trx, userId);
        return result.numDeletedRows > 0n;
      }),
  };
}

function toTotp(row: TotpFactorRow): TotpFactor {
  return {
    id: row.id,
    userId: row.user_id,
    sealedSecret: row.sealed_secret,
    createdAtMs: row.created_at_ms,
    confirmedAtMs: row.confirmed_at_ms,
    lastStep: row.last_step,
  };
}

function toRow(factor: TotpFactor): TotpFactorRow {
  return {
    id: factor.id,
    user_id: factor.userId,
    sealed_secret: factor.sealedSecret,
    created_at_ms: factor.createdAtMs,
    confirmed_at_ms: factor.confirmedAtMs,
    last_step: factor.lastStep,
  };
}
