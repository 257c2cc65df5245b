import type { Kysely } from "kysely";
import type { ApiKey, ApiKeyQuery, ApiKeyStore } from "../../identity/api-keys/api-key.ts";
import { fromJsonList, toJsonList } from "./columns.ts";
import type { SqlDatabase } from "./database.ts";
import { serializable } from "./database.ts";
import type { ApiKeyRow, Schema } from "./schema.ts";

/** API keys in a SQL database. */
export function createSqlApiKeyStore({ db, reads }: SqlDatabase): ApiKeyStore {
  const { findById, findByKey } = reads.entities({
    table: "api_keys",
    byId: db.selectFrom("api_keys").selectAll().where("id", "=", "").compile(),
    byKey: db.selectFrom("api_keys").selectAll().where("public_id", "=", "").compile(),
    fromRow: toApiKey,
    keyOf: (key) => key.publicId,
  });

  async function create(key: ApiKey, mostLive?: number): Promise<boolean> {
    const { ownerId } = key;
    const insert = (into: Kysely<Schema>) => into.insertInto("api_keys").values(toRow(key)).execute();
    if (mostLive === undefined || ownerId === null) {
      await insert(db);
      return true;
    }
    return serializable(db, async (trx) => {
      const { count } = await trx
        .selectFrom("api_keys")
        .select((select) => select.fn.countAll().as("count"))
        .where("owner_id", "=", ownerId)
        .where("revoked_at_ms", "is", null)
        .executeTakeFirstOrThrow();
      if (Number(count) >= mostLive) return false;
      await insert(trx);
      return true;
    });
  }

  async function list(query: ApiKeyQuery): Promise<readonly ApiKey[]> {
    let rows = db.selectFrom("api_keys").selectAll().orderBy("id").limit(query.limit);
    if (query.ownerId !== undefined) rows = rows.where("owner_id", "=", query.ownerId);
    if (query.unrevoked) rows = rows.where("revoked_at_ms", "is", null);
    if (query.afterId !== undefined) rows = rows.where("id", ">", query.afterId);
    return (await rows.execute()).map(toApiKey);
  }

  async function rotate(
    id: string,
    currentHash: string,
    newHash: string,
    overlapUntilMs: number,
  ): Promise<boolean> {
    const result = await db
      .updateTable("api_keys")
      .set({
        secret_hash: newHash,
        previous_secret_hash: currentHash,
        previous_expires_at_ms: overlapUntilMs,
      })
      .where("id", "=", id)
      .where("secret_hash", "=", currentHash)
      .where("revoked_at_ms", "is", null)
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  async function revoke(id: string, nowMs: number): Promise<boolean> {
    const result = await db
      .updateTable("api_keys")
      .set({ revoked_at_ms: nowMs })
      .where("id", "=", id)
      .where("revoked_at_ms", "is", null)
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  /** Two statements, each atomic: the first finds a row unused for one caller alone. */
  async function touch(ids: readonly string[], nowMs: number): Promise<readonly string[]> {
    const use = db.updateTable("api_keys").set({ last_used_at_ms: nowMs }).where("id", "in", ids);
    const first = await use.where("last_used_at_ms", "is", null).returning("id").execute();
    if (first.length < ids.length) await use.where("last_used_at_ms", "<", nowMs).execute();
    return first.map(({ id }) => id);
  }

  return {
    create,
    findByPublicId: findByKey,
    findById: async (id) => findById(id),
    list,
    rotate,
    revoke,
    touch,
  };
}

function toApiKey(row: ApiKeyRow): ApiKey {
  return {
    id: row.id,
    publicId: row.public_id,
    secretHash: row.secret_hash,
    previousSecretHash: row.previous_secret_hash,
    previousExpiresAtMs: row.previous_expires_at_ms,
    name: row.name,
    ownerId: row.owner_id,
    scopes: fromJsonList(row.scopes),
    addressRanges: fromJsonList(row.address_ranges),
    rateLimits: fromJsonList(row.rate_limits),
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
    revokedAtMs: row.revoked_at_ms,
    lastUsedAtMs: row.last_used_at_ms,
  };
}

function toRow(key: ApiKey): ApiKeyRow {
  return {
    id: key.id,
    public_id: key.publicId,
    secret_hash: key.secretHash,
    previous_secret_hash: key.previousSecretHash,
    previous_expires_at_ms: key.previousExpiresAtMs,
    name: key.name,
    owner_id: key.ownerId,
    scopes: toJsonList(key.scopes),
    address_ranges: toJsonList(key.addressRanges),
    rate_limits: toJsonList(key.rateLimits),
    created_at_ms: key.createdAtMs,
    expires_at_ms: key.expiresAtMs,
    revoked_at_ms: key.revokedAtMs,
    last_used_at_ms: key.lastUsedAtMs,
  };
}
