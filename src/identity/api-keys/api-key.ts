import type { Awaitable } from "../../kernel/awaitable.ts";

/** An API key at rest. Of its secret only a hash exists; after a rotation the old one lives on until its overlap ends. */
export interface ApiKey {
  readonly id: string;
  /** The part of the key's text that finds it. */
  readonly publicId: string;
  /** SHA-256 of the secret part, base64url: the secret has 256 bits, so no slow hash is needed (ASVS V11.4.2). */
  readonly secretHash: string;
  readonly previousSecretHash: string | null;
  readonly previousExpiresAtMs: number | null;
  readonly name: string;
  /** `null`: the key stands for itself, made by the operator. */
  readonly ownerId: string | null;
  readonly scopes: readonly string[];
  /** CIDR ranges it may be used from; none means anywhere. */
  readonly addressRanges: readonly string[];
  /** Own limits, like `100/1m`; none means the default policy. */
  readonly rateLimits: readonly string[];
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly revokedAtMs: number | null;
  readonly lastUsedAtMs: number | null;
}

/** A page of keys. */
export interface ApiKeyQuery {
  /** Whose; of all where it is absent. */
  readonly ownerId?: string;
  /** Leaves out those that were revoked. */
  readonly unrevoked?: boolean;
  readonly afterId?: string;
  readonly limit: number;
}

/** The port of API keys. What is found is live: as of the last commit, by whichever process. */
export interface ApiKeyStore {
  /** `false` where its owner has `mostLive` keys that are not revoked, expired or not: atomic, however many at once. */
  create(key: ApiKey, mostLive?: number): Promise<boolean>;
  findByPublicId(publicId: string): Awaitable<ApiKey | undefined>;
  findById(id: string): Promise<ApiKey | undefined>;
  /** In order of id. */
  list(query: ApiKeyQuery): Promise<readonly ApiKey[]>;
  /** Sets a new secret and lets the current one live until `overlapUntilMs`; `false` where revoked or raced. */
  rotate(id: string, currentHash: string, newHash: string, overlapUntilMs: number): Promise<boolean>;
  /** Durable before it resolves; `false` where it was revoked already or is unknown. */
  revoke(id: string, nowMs: number): Promise<boolean>;
  /** Notes a use of each; resolves to those whose first one ever it was, as the database decides. */
  touch(ids: readonly string[], nowMs: number): Promise<readonly string[]>;
}
