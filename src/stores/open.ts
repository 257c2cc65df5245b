import type { AccountStore } from "../identity/accounts/account.ts";
import type { LockoutStore } from "../identity/accounts/lockout.ts";
import type { ApiKeyStore } from "../identity/api-keys/api-key.ts";
import type { AuditStore } from "../identity/audit/audit-store.ts";
import type { ChallengeStore } from "../identity/factors/challenge.ts";
import type { FactorStore } from "../identity/factors/factor.ts";
import type { SessionStore } from "../identity/sessions/session.ts";
import type { OverrideStore } from "../identity/settings/override-store.ts";
import type { StatisticsStore } from "../identity/statistics/statistics-store.ts";
import type { RefreshTokenStore } from "../identity/tokens/refresh-token.ts";
import type { RevocationStore } from "../identity/tokens/revocation.ts";
import type { Bus } from "../kernel/bus.ts";
import { steadyClock } from "../kernel/clock.ts";
import type { BreakerView } from "./breaker.ts";
import { DatabaseFault } from "./database-fault.ts";
import { createMemoryStores } from "./memory/memory-stores.ts";
import type { OutageEvents } from "./outage-events.ts";
import { createSqlAccountStore } from "./sql/account-store.ts";
import { createSqlApiKeyStore } from "./sql/api-key-store.ts";
import { createSqlAuditStore } from "./sql/audit-store.ts";
import { createSqlChallengeStore } from "./sql/challenge-store.ts";
import type { SqlDatabase } from "./sql/database.ts";
import { createSqlFactorStore } from "./sql/factor-store.ts";
import { createSqlLockoutStore } from "./sql/lockout-store.ts";
import { migrate, pendingMigrations } from "./sql/migrate.ts";
import { createSqlOverrideStore } from "./sql/override-store.ts";
import { createSqlRefreshTokenStore } from "./sql/refresh-token-store.ts";
import { createSqlRevocationStore } from "./sql/revocation-store.ts";
import { createSqlSessionStore } from "./sql/session-store.ts";
import { openSqlite } from "./sql/sqlite.ts";
import { createSqlStatisticsStore } from "./sql/statistics-store.ts";

/** Every store of one database. All of them throw `Outage` where it fails. */
export interface Stores {
  readonly accounts: AccountStore;
  readonly sessions: SessionStore;
  readonly refreshTokens: RefreshTokenStore;
  readonly revocations: RevocationStore;
  readonly apiKeys: ApiKeyStore;
  readonly lockouts: LockoutStore;
  readonly factors: FactorStore;
  readonly challenges: ChallengeStore;
  readonly audit: AuditStore;
  readonly settings: OverrideStore;
  readonly statistics: StatisticsStore;
  /** Before a database that is a server: while it is not closed, every call is an `Outage` at once. */
  readonly breaker?: BreakerView;
  /** Whether what others have committed until a moment ago is known here; else each live read asks the database. */
  readonly isCurrent: () => boolean;
  /** Throws `Outage` where the database does not answer. */
  health(): Promise<void>;
  /** Brings the schema up to date and returns the names of what it applied; safe at any time, from any instance. */
  migrate(): Promise<readonly string[]>;
  /** Names of the migrations still to come; until there are none, the stores are not to be used. */
  pendingMigrations(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface OpenOptions {
  readonly databaseUrl: string;
  /** How instances tell each other of changes, where they can: a database that tells them itself needs none. */
  readonly bus?: Bus | undefined;
  /** Where it is told that a database server is away, and back; nowhere unless given. */
  readonly outages?: OutageEvents | undefined;
}

/**
 * Opens the stores that a database URL names: `sqlite:<path>`, `postgres://user:password@host/database`, or
 * `sqlite::memory:` for stores that end with the process. Throws `DatabaseFault`, in one line without the URL's
 * secrets, where it names none or cannot be used, and `Outage` where a PostgreSQL does not answer within 5 s.
 */
export async function openStores({ databaseUrl, ...options }: OpenOptions): Promise<Stores> {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(databaseUrl)?.[1]?.toLowerCase();
  switch (scheme) {
    case "sqlite":
      return openSqliteStores(sqlitePath(databaseUrl));
    case "postgres":
    case "postgresql":
      return openPostgresStores(databaseUrl, options);
    case undefined:
      throw new DatabaseFault("the database URL has no scheme: use sqlite:<path> or postgres://…");
    default:
      throw new DatabaseFault(
        `a database of kind ${scheme} is not supported: use sqlite:<path> or postgres://…`,
      );
  }
}

function openMemoryStores(): Stores {
  return {
    ...createMemoryStores(),
    isCurrent: () => true,
    health: async () => {},
    migrate: async () => [],
    pendingMigrations: async () => [],
    close: async () => {},
  };
}

async function openSqliteStores(path: string): Promise<Stores> {
  if (path === ":memory:") return openMemoryStores();
  const database = await openSqlite(path);
  return {
    ...createSqlStores(database),
    health: async () => database.probe(),
    migrate: () => database.migrating(migrate),
    pendingMigrations: () => pendingMigrations(database.db),
    close: database.close,
  };
}

async function openPostgresStores(url: string, options: Omit<OpenOptions, "databaseUrl">): Promise<Stores> {
  // Loaded here alone: who has a file does not wait for a driver.
  const { openPostgres } = await import("./sql/postgres.ts");
  const database = await openPostgres(url, { monotonicMs: steadyClock.now, ...options });
  return {
    ...createSqlStores(database),
    breaker: database.breaker,
    health: database.probe,
    migrate: () => database.migrating(migrate),
    pendingMigrations: () => pendingMigrations(database.db),
    close: database.close,
  };
}

function createSqlStores(database: SqlDatabase) {
  return {
    accounts: createSqlAccountStore(database),
    sessions: createSqlSessionStore(database),
    refreshTokens: createSqlRefreshTokenStore(database),
    revocations: createSqlRevocationStore(database),
    apiKeys: createSqlApiKeyStore(database),
    audit: createSqlAuditStore(database),
    lockouts: createSqlLockoutStore(database),
    factors: createSqlFactorStore(database),
    challenges: createSqlChallengeStore(database),
    settings: createSqlOverrideStore(database),
    statistics: createSqlStatisticsStore(database),
    isCurrent: database.reads.isCurrent,
  };
}

/**
 * The path in a `sqlite:` URL; `sqlite:data/kyros.db`, `sqlite:/var/lib/kyros.db` and `sqlite:///var/lib/kyros.db` are
 * what people write. Throws `DatabaseFault` where there is none.
 */
export function sqlitePath(databaseUrl: string): string {
  const path = databaseUrl.slice("sqlite:".length).replace(/^\/\/(?=\/)/, "");
  if (path === "" || path.startsWith("//")) {
    throw new DatabaseFault(
      "the database URL names no path: use sqlite:<path>, such as sqlite:/var/lib/kyros.db",
    );
  }
  return path;
}
