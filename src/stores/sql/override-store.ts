import type { OverrideStore, Overrides } from "../../identity/settings/override-store.ts";
import { then } from "../../kernel/awaitable.ts";
import { Outage } from "../../kernel/failure.ts";
import type { SqlDatabase } from "./database.ts";
import { serializable } from "./database.ts";
import type { SettingOverridesRow } from "./schema.ts";

/** All overrides are in one row: read as one on the way of every request, and changed in one step. */
const ROW_ID = "current";
const NONE: Overrides = Object.freeze({});

/** Overrides of settings in a SQL database. */
export function createSqlOverrideStore({ db, reads }: SqlDatabase): OverrideStore {
  const query = db.selectFrom("setting_overrides").selectAll().where("id", "=", "").compile();
  const { findById } = reads.entities({
    table: "setting_overrides",
    byId: query,
    byKey: query,
    fromRow: (row: SettingOverridesRow) => ({ id: row.id, overrides: fromText(row.overrides) }),
    keyOf: () => null,
  });

  return {
    current: () => then(findById(ROW_ID), (found) => found?.overrides ?? NONE),
    change: (next) =>
      serializable(db, async (trx) => {
        const row = await trx
          .selectFrom("setting_overrides")
          .selectAll()
          .where("id", "=", ROW_ID)
          .executeTakeFirst();
        const before = row === undefined ? NONE : fromText(row.overrides);
        const after = Object.freeze({ ...next(before) });
        const values = { id: ROW_ID, overrides: JSON.stringify(after) };
        await trx
          .insertInto("setting_overrides")
          .values(values)
          .onConflict((conflict) => conflict.column("id").doUpdateSet({ overrides: values.overrides }))
          .execute();
        return { before, after };
      }),
  };
}

/** Damaged overrides are no reason to do without them: an `Outage`, as of any other damaged column. */
function fromText(text: string): Overrides {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Outage("database", { cause: error });
  }
  if (!isOverrides(value)) throw new Outage("database", { cause: new Error("the overrides are damaged") });
  return Object.freeze(value);
}

function isOverrides(value: unknown): value is Overrides {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every(
      (one) =>
        typeof one?.value === "string" &&
        Number.isSafeInteger(one.changedAtMs) &&
        (one.changedBy === null || typeof one.changedBy === "string"),
    )
  );
}
