import type { Kind } from "../config/kind.ts";
import { retention } from "../config/plain-kinds.ts";
import { REDIS_SETTINGS } from "../config/redis-settings.ts";
import { databaseUrl } from "../config/url-kinds.ts";
import { openKeyring } from "../crypto/keyring.ts";
import type { AuditStore } from "../identity/audit/audit-store.ts";
import { createStatementSigner } from "../identity/audit/statement.ts";
import type { EventSink } from "../kernel/audit-event.ts";
import { systemClock } from "../kernel/clock.ts";
import type { Limiter } from "../kernel/limiter.ts";
import { systemRandom } from "../kernel/random.ts";
import { openStores as openDatabase } from "../stores/open.ts";
import { totpSecretsOf } from "./compose-identity.ts";
import type { KyrosStores } from "./create-kyros.ts";
import { startHousekeeping } from "./housekeeping.ts";
import { openRedis, withSharedChallenges } from "./open-redis.ts";

export { DatabaseFault } from "../stores/database-fault.ts";

export interface OpenStoresOptions {
  /** As for `createKyros`: what lies in the stores is found and encrypted under keys of it. */
  readonly secret: string;
  readonly previousSecrets?: readonly string[];
  /** `sqlite:<path>`, `sqlite::memory:` or `postgres://user:password@host/database`. */
  readonly databaseUrl: string;
  /** `redis://…` or `rediss://…`; nodes of a cluster are comma-separated. Without it limits are this process's own. */
  readonly redisUrl?: string;
  /** How long Redis has to decide a limit (ms) before this process decides on its own; 50 unless told. */
  readonly redisDeadlineMs?: number;
  /** How long entries of the audit trail are kept, like `400d`; for ever unless told. */
  readonly auditRetention?: string;
  /** Told when Redis or a PostgreSQL is away and when it is back; nobody unless told. */
  readonly events?: EventSink;
  /** Failures of what runs in the background; `process.emitWarning` unless told. */
  readonly onFailure?: (error: unknown) => void;
}

/** What `createKyros({ secret, ...opened })` takes, and what its host asks and ends. */
export interface OpenedStores {
  /** `audit` is for `createAuditTrail`. */
  readonly stores: KyrosStores & { readonly audit: AuditStore };
  /** Exact limits that all instances share; only where there is a Redis. */
  readonly limiter?: Limiter;
  /** For a readiness probe: rejects with an `Outage` where the database does not answer. */
  health(): Promise<void>;
  /** After `kyros.settle()`, which writes the last uses. */
  close(): Promise<void>;
}

/**
 * Opens the stores of a host app: durable, brought to the current schema, and tidied once an hour. Apps and services
 * of the same secret over the same database and Redis are one: their sessions, revocations and limits are shared.
 * Throws a `TypeError` for an option that is wrong, a `DatabaseFault` for a database that cannot be used, each in one
 * line without the URL's secrets, and an `Outage` for one that does not answer. A Redis that is away is no failure.
 */
export async function openStores(options: OpenStoresOptions): Promise<OpenedStores> {
  const {
    events = { record: () => undefined },
    onFailure = (error) => process.emitWarning(error instanceof Error ? error : String(error)),
  } = options;
  const url = read("databaseUrl", databaseUrl, options.databaseUrl);
  const { redisUrl, redisDeadlineMs = 50, auditRetention } = options;
  const redisSettings = {
    redisUrls: redisUrl === undefined ? [] : read("redisUrl", REDIS_SETTINGS.redisUrls.kind, redisUrl),
    redisDeadlineMs: read("redisDeadlineMs", REDIS_SETTINGS.redisDeadlineMs.kind, String(redisDeadlineMs)),
  };
  const auditRetentionMs =
    auditRetention === undefined ? undefined : read("auditRetention", retention, auditRetention);
  const keyring = openKeyring({ current: options.secret, previous: options.previousSecrets ?? [] });

  await using opening = new AsyncDisposableStack();
  const outages = { clock: systemClock, events, onFailure };
  const redis = await openRedis(redisSettings, keyring, outages);
  if (redis !== undefined) opening.defer(redis.close);
  const database = await openDatabase({ databaseUrl: url, bus: redis?.bus, outages });
  opening.defer(database.close);
  const stores = withSharedChallenges(database, redis, keyring);
  await stores.migrate();
  const totpSecrets = totpSecretsOf({ keyring, random: systemRandom, passkeyOrigins: [] });
  const housekeeping = startHousekeeping({
    stores,
    totpSecrets,
    signer: createStatementSigner(keyring),
    auditRetentionMs,
    clock: systemClock,
    onFailure,
  });
  opening.defer(housekeeping.stop);
  const opened = opening.move();
  return {
    stores,
    ...(redis && { limiter: redis.limiter }),
    health: stores.health,
    close: () => opened.disposeAsync(),
  };
}

function read<T>(option: string, kind: Kind<T>, text: string): T {
  const reading = kind.read(text);
  if ("value" in reading) return reading.value;
  throw new TypeError(`${option}: ${reading.faults.join(", ")}; allowed: ${kind.allowed}`);
}
