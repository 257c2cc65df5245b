import type { FactorStore, Passkey } from "../../identity/factors/factor.ts";
import { fromJsonList, toJsonList } from "./columns.ts";
import type { SqlDatabase } from "./database.ts";
import { serializable } from "./database.ts";
import { forgetCodesWithoutFactor, setRecoveryCodes } from "./recovery-codes.ts";
import type { PasskeyRow } from "./schema.ts";

type Passkeys = Pick<
  FactorStore,
  "findPasskey" | "listPasskeys" | "addPasskey" | "usePasskey" | "removePasskey"
>;

/** Passkeys in a SQL database. */
export function createSqlPasskeys({ db, reader }: Pick<SqlDatabase, "db" | "reader">): Passkeys {
  return {
    async findPasskey(credentialId) {
      const row = await reader
        .selectFrom("passkeys")
        .selectAll()
        .where("credential_id", "=", credentialId)
        .executeTakeFirst();
      return row && toPasskey(row);
    },
    async listPasskeys(userId) {
      const rows = await reader
        .selectFrom("passkeys")
        .selectAll()
        .where("user_id", "=", userId)
        .orderBy("id")
        .execute();
      return rows.map(toPasskey);
    },
    addPasskey: (passkey, recoveryCodeHashes) =>
      serializable(db, async (trx) => {
        const result = await trx
          .insertInto("passkeys")
          .values(toRow(passkey))
          .onConflict((conflict) => conflict.column("credential_id").doNothing())
          .executeTakeFirst();
        if (result.numInsertedOrUpdatedRows !== 1n) return "conflict";
        const code = await trx
          .selectFrom("recovery_codes")
          .select("hash")
          .where("user_id", "=", passkey.userId)
          .limit(1)
          .executeTakeFirst();
        if (code !== undefined) return "added";
        await setRecoveryCodes(trx, passkey.userId, recoveryCodeHashes);
        return "added_with_codes";
      }),
    async usePasskey(id, counter, nowMs) {
      const result = await db
        .updateTable("passkeys")
        .set({ counter, last_used_at_ms: nowMs })
        .where("id", "=", id)
        .where("counter", counter === 0 ? "=" : "<", counter)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    removePasskey: (id, userId, keepLast) =>
      serializable(db, async (trx) => {
        const own = await trx.selectFrom("passkeys").select("id").where("user_id", "=", userId).execute();
        if (!own.some((passkey) => passkey.id === id)) return "unknown";
        if (keepLast && own.length === 1) return "last";
        await trx.deleteFrom("passkeys").where("id", "=", id).execute();
        await forgetCodesWithoutFactor(trx, userId);
        return "removed";
      }),
  };
}

function toPasskey(row: PasskeyRow): Passkey {
  return {
    id: row.id,
    userId: row.user_id,
    credentialId: row.credential_id,
    publicKey: row.public_key,
    counter: row.counter,
    name: row.name,
    transports: fromJsonList(row.transports),
    createdAtMs: row.created_at_ms,
    lastUsedAtMs: row.last_used_at_ms,
  };
}

function toRow(passkey: Passkey): PasskeyRow {
  return {
    id: passkey.id,
    user_id: passkey.userId,
    credential_id: passkey.credentialId,
    public_key: passkey.publicKey,
    counter: passkey.counter,
    name: passkey.name,
    transports: toJsonList(passkey.transports),
    created_at_ms: passkey.createdAtMs,
    last_used_at_ms: passkey.lastUsedAtMs,
  };
}
