import type { Kysely } from "kysely";
import type { FactorSummary } from "../../identity/factors/factor.ts";
import type { Schema } from "./schema.ts";

/** Which factors users have, in one read for any number of them: every sign-in asks. */
export async function factorSummaries(
  db: Kysely<Schema>,
  userIds: readonly string[],
): Promise<ReadonlyMap<string, FactorSummary>> {
  if (userIds.length === 0) return new Map();
  const countOf = (table: "totp_factors" | "passkeys" | "recovery_codes") =>
    db
      .selectFrom(table)
      .select((select) => [
        "user_id",
        select.val<string>(table).as("factor"),
        select.fn.countAll().as("count"),
      ])
      .where("user_id", "in", userIds)
      .groupBy("user_id");
  const rows = await countOf("totp_factors")
    .where("confirmed_at_ms", "is not", null)
    .unionAll(countOf("passkeys"))
    .unionAll(countOf("recovery_codes"))
    .execute();
  const counts = new Map(rows.map((row) => [`${row.factor} ${row.user_id}`, Number(row.count)]));
  return new Map(
    userIds.map((id) => [
      id,
      {
        totp: counts.has(`totp_factors ${id}`),
        passkeys: counts.get(`passkeys ${id}`) ?? 0,
        recoveryCodesLeft: counts.get(`recovery_codes ${id}`) ?? 0,
      },
    ]),
  );
}
