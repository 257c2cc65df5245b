import type { Kysely } from "kysely";
import type { Schema } from "./schema.ts";

/** Sets a user's recovery codes in place of any other; part of a transaction. */
export async function setRecoveryCodes(
  trx: Kysely<Schema>,
  userId: string,
  hashes: readonly string[],
): Promise<void> {
  await trx.deleteFrom("recovery_codes").where("user_id", "=", userId).execute();
  if (hashes.length === 0) return;
  await trx
    .insertInto("recovery_codes")
    .values(hashes.map((hash) => ({ user_id: userId, hash })))
    .execute();
}

/** Removes a user's recovery codes where no factor is left for them to stand in for; part of a transaction. */
export async function forgetCodesWithoutFactor(trx: Kysely<Schema>, userId: string): Promise<void> {
  const ofUser = trx.selectFrom("passkeys").select("id").where("user_id", "=", userId);
  const confirmed = trx
    .selectFrom("totp_factors")
    .select("id")
    .where("user_id", "=", userId)
    .where("confirmed_at_ms", "is not", null);
  await trx
    .deleteFrom("recovery_codes")
    .where("user_id", "=", userId)
    .where((where) => where.not(where.or([where.exists(ofUser), where.exists(confirmed)])))
    .execute();
}
