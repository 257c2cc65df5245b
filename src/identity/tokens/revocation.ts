import type { Awaitable } from "../../kernel/awaitable.ts";

/**
 * The port of access tokens revoked one by one (RFC 7009), by `jti`. Sessions and users are revoked by their own rows;
 * token text is never an identity.
 */
export interface RevocationStore {
  /** Durable before it resolves; kept until the token would have expired anyway. */
  revoke(tokenId: string, expiresAtMs: number): Promise<void>;
  isRevoked(tokenId: string): Awaitable<boolean>;
  purge(beforeMs: number): Promise<number>;
}
