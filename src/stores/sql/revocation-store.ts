import type { RevocationStore } from "../../identity/tokens/revocation.ts";
import type { SqlDatabase } from "./database.ts";
import { PURGE_BATCH, purgeInBatches } from "./purge.ts";

/** Revoked access tokens in a SQL database. */
export function createSqlRevocationStore({ db, reads }: SqlDatabase): RevocationStore {
  const isRevoked = reads.members(
    "revoked_tokens",
    db.selectFrom("revoked_tokens").select("token_id").where("token_id", "=", "").compile(),
  );

  async function revoke(tokenId: string, expiresAtMs: number): Promise<void> {
    await db
      .insertInto("revoked_tokens")
      .values({ token_id: tokenId, expires_at_ms: expiresAtMs })
      .onConflict((conflict) =>
        conflict
          .column("token_id")
          .doUpdateSet({ expires_at_ms: expiresAtMs })
          .where("revoked_tokens.expires_at_ms", "<", expiresAtMs),
      )
      .execute();
  }

  function purge(beforeMs: number): Promise<number> {
    return purgeInBatches(async () => {
      const expired = db
        .selectFrom("revoked_tokens")
        .select("token_id")
        .where("expires_at_ms", "<", beforeMs)
        .limit(PURGE_BATCH);
      return (await db.deleteFrom("revoked_tokens").where("token_id", "in", expired).executeTakeFirst())
        .numDeletedRows;
    });
  }

  return { revoke, isRevoked, purge };
}
