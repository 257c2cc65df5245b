import type { Kysely } from "kysely";
import type { FactorSummary } from "../../identity/factors/factor.ts";
import type { Schema } from "./schema.ts";

/** Which factors users have, in three reads for any number of them. */
export async function factorSummaries(
  db: Kysely<Schema>,
  userIds: readonly string[],
): Promise<ReadonlyMap<string, FactorSummary>> {
  if (userIds.length === 0) return new Map();
  const ids = [...userIds];
  const confirmed = await db
    .selectFrom("totp_factors")
    .select("user_id")
    .where("user_id", "in", ids)
    .where("confirmed_at_ms", "is not", null)
    .execute();
  const passkeys = await countByUser(db, "passkeys", ids);
  const codes = await countByUser(db, "recovery_codes", ids);
  const hasTotp = new Set(confirmed.map((row) => row.user_id));
  return new Map(
    ids.map((id) => [
      id,
      { totp: hasTotp.has(id), passkeys: passkeys.get(id) ?? 0, recoveryCodesLeft: codes.get(id) ?? 0 },
    ]),
  );
}

async function countByUser(
  db: Kysely<Schema>,
  table: "passkeys" | "recovery_codes",
  userIds: string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .selectFrom(table)
    .select((select) => ["user_id", select.fn.countAll().as("count")])
    .where("user_id", "in", userIds)
    .groupBy("user_id")
    .execute();
  return new Map(rows.map((row) => [row.user_id, Number(row.count)]));
}
