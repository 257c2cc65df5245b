import type { Insertable, Updateable } from "kysely";
import { sql } from "kysely";
import type {
  Account,
  AccountPatch,
  AccountQuery,
  AccountStore,
  UpdateOutcome,
} from "../../identity/accounts/account.ts";
import { isEnabledAdmin, patchAccount, searchForm } from "../../identity/accounts/account.ts";
import type { Role } from "../../kernel/principal.ts";
import { fromFlag, toFlag } from "./columns.ts";
import type { SqlDatabase } from "./database.ts";
import { serializable } from "./database.ts";
import type { AccountRow } from "./schema.ts";

/** No name or address is as long: such a search finds nothing, and no database is asked for a pattern it refuses. */
const LONGEST_SEARCH = 1000;

/** Accounts in a SQL database. */
export function createSqlAccountStore({ db, reads }: SqlDatabase): AccountStore {
  const { findById, findByKey } = reads.entities({
    table: "accounts",
    byId: db.selectFrom("accounts").selectAll().where("id", "=", "").compile(),
    byKey: db.selectFrom("accounts").selectAll().where("username_key", "=", "").compile(),
    fromRow: toAccount,
    keyOf: (account) => account.usernameKey,
  });

  async function list({ afterId, limit, search }: AccountQuery): Promise<readonly Account[]> {
    let query = db.selectFrom("accounts").selectAll().orderBy("id").limit(limit);
    if (afterId !== undefined) query = query.where("id", ">", afterId);
    if (search !== undefined) {
      const pattern = containing(search);
      if (pattern === undefined) return [];
      query = query.where((where) =>
        where.or([
          sql<boolean>`${where.ref("username_key")} like ${pattern} escape '\\'`,
          sql<boolean>`${where.ref("email_key")} like ${pattern} escape '\\'`,
        ]),
      );
    }
    return (await query.execute()).map(toAccount);
  }

  async function create(account: Account): Promise<"created" | "conflict"> {
    const result = await db
      .insertInto("accounts")
      .values(toRow(account))
      .onConflict((conflict) => conflict.column("username_key").doNothing())
      .executeTakeFirst();
    return result.numInsertedOrUpdatedRows === 1n ? "created" : "conflict";
  }

  async function update(id: string, patch: AccountPatch): Promise<UpdateOutcome> {
    const columns = independentColumns(patch);
    if (columns !== undefined) {
      const row = await db
        .updateTable("accounts")
        .set(columns)
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirst();
      return row === undefined ? { kind: "not_found" } : { kind: "updated", account: toAccount(row) };
    }
    return serializable(db, async (trx): Promise<UpdateOutcome> => {
      const row = await trx.selectFrom("accounts").selectAll().where("id", "=", id).executeTakeFirst();
      if (row === undefined) return { kind: "not_found" };
      const before = toAccount(row);
      const account = patchAccount(before, patch);
      if (isEnabledAdmin(before) && !isEnabledAdmin(account)) {
        const another = await trx
          .selectFrom("accounts")
          .select("id")
          .where("role", "=", "admin")
          .where("disabled", "=", toFlag(false))
          .where("id", "!=", id)
          .limit(1)
          .executeTakeFirst();
        if (another === undefined) return { kind: "last_admin" };
      }
      await trx.updateTable("accounts").set(toRow(account)).where("id", "=", id).execute();
      return { kind: "updated", account };
    });
  }

  async function upgradePasswordHash(id: string, oldHash: string, newHash: string): Promise<boolean> {
    const result = await db
      .updateTable("accounts")
      .set({ password_hash: newHash })
      .where("id", "=", id)
      .where("password_hash", "=", oldHash)
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  return { findById, findByUsernameKey: findByKey, list, create, update, upgradePasswordHash };
}

/**
 * What a patch sets, where that depends on nothing else of the row: one statement does then, as at every sign-in.
 * `undefined` for any other patch.
 */
function independentColumns(patch: AccountPatch): Updateable<AccountRow> | undefined {
  const { email, lastLoginAtMs, role, disabled, passwordHash, passwordChangedAtMs } = patch;
  const others = [role, disabled, passwordHash, passwordChangedAtMs];
  if (others.some((value) => value !== undefined)) return undefined;
  const columns: Updateable<AccountRow> = {
    ...(email !== undefined && { email, email_key: emailKeyOf(email) }),
    ...(lastLoginAtMs !== undefined && { last_login_at_ms: lastLoginAtMs }),
  };
  return Object.keys(columns).length > 0 ? columns : undefined;
}

function emailKeyOf(email: string | null): string | null {
  return email === null ? null : searchForm(email);
}

/** A LIKE pattern for text that contains `search` literally; `undefined` where no stored text can. */
function containing(search: string): string | undefined {
  // Databases end a pattern at NUL, or refuse it.
  if (search.length > LONGEST_SEARCH || search.includes("\0")) return undefined;
  return `%${searchForm(search).replace(/[\\%_]/g, "\\$&")}%`;
}

function toAccount(row: AccountRow): Account {
  return {
    id: row.id,
    username: row.username,
    usernameKey: row.username_key,
    email: row.email,
    // The column allows these alone; whatever else it held would rank below every role.
    role: row.role as Role,
    disabled: fromFlag(row.disabled),
    passwordHash: row.password_hash,
    createdAtMs: row.created_at_ms,
    lastLoginAtMs: row.last_login_at_ms,
    passwordChangedAtMs: row.password_changed_at_ms,
    roleChangedAtMs: row.role_changed_at_ms,
  };
}

function toRow(account: Account): Insertable<AccountRow> {
  return {
    id: account.id,
    username: account.username,
    username_key: account.usernameKey,
    email: account.email,
    email_key: emailKeyOf(account.email),
    role: account.role,
    disabled: toFlag(account.disabled),
    password_hash: account.passwordHash,
    created_at_ms: account.createdAtMs,
    last_login_at_ms: account.lastLoginAtMs,
    password_changed_at_ms: account.passwordChangedAtMs,
    role_changed_at_ms: account.roleChangedAtMs,
  };
}
