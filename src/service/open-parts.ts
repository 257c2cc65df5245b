import { resolveSecret } from "../config/development-secret.ts";
import type { Settings } from "../config/settings.ts";
import type { Keyring } from "../crypto/keyring.ts";
import { generateSecret, openKeyring } from "../crypto/keyring.ts";
import type { Passwords } from "../crypto/password.ts";
import { createPasswords } from "../crypto/password.ts";
import type { EventSink } from "../kernel/audit-event.ts";
import { steadyClock, systemClock } from "../kernel/clock.ts";
import type { Limiter } from "../kernel/limiter.ts";
import { systemRandom } from "../kernel/random.ts";
import type { BreakerView } from "../stores/breaker.ts";
import type { LocalLimiter } from "../stores/fallback-limiter.ts";
import { createMemoryLimiter } from "../stores/memory/memory-limiter.ts";
import type { Stores } from "../stores/open.ts";
import { openStores } from "../stores/open.ts";
import type { OutageEvents } from "../stores/outage-events.ts";
import type { Exposition } from "../telemetry/exposition.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { openAuditSinks } from "./audit-sinks/open-sinks.ts";
import type { CspReportWindow } from "./csp-report-window.ts";
import { createCspReportWindow } from "./csp-report-window.ts";
import type { Log } from "./log.ts";
import { openRedis, withSharedChallenges } from "./open-redis.ts";
import type { OpenTrail } from "./open-trail.ts";
import { openTrail } from "./open-trail.ts";

/** What the workers of one service have in common. Who starts them migrates the database and keeps house. */
export interface SharedParts {
  readonly limiter: LocalLimiter;
  /** By which other instances know them all as one. */
  readonly instanceId: string;
  /** So that an outage is told by one of them. */
  readonly witness: OutageEvents["witness"];
  readonly passwords: Passwords;
  /** The metrics of all of them together. */
  readonly metrics: Exposition;
}

/** What a service stands on: opened together, closed together. */
export interface OpenParts {
  readonly keyring: Keyring;
  readonly stores: Stores;
  readonly limiter: Limiter;
  /** How Redis does, where there is one. */
  readonly redis: BreakerView | undefined;
  readonly passwords: Passwords;
  readonly metrics: Metrics;
  readonly cspReports: CspReportWindow;
  /** Where every fact is recorded: in the log and the metrics at once, in the audit trail durably. */
  readonly trail: OpenTrail;
  close(): Promise<void>;
}

function lagSeconds(sinceMs: number | undefined): number {
  return sinceMs === undefined ? 0 : Math.max(0, systemClock.now() - sinceMs) / 1000;
}

/** Opens what the settings name. Where one part cannot be opened, none is left open. */
export async function openParts(settings: Settings, log: Log, shared?: SharedParts): Promise<OpenParts> {
  await using opened = new AsyncDisposableStack();
  const keyring = openKeyring({
    current: resolveSecret(settings, () => generateSecret(systemRandom)),
    previous: settings.previousSecrets,
  });
  const metrics = createMetrics({ clock: systemClock, steadyClock });
  opened.defer(metrics.stop);
  let events: EventSink = log.events;
  // Redis and the database come before the trail; what befalls them is told there as soon as it is there.
  const outages: OutageEvents = {
    clock: systemClock,
    events: { record: (event) => events.record(event) },
    onFailure: log.failure,
    witness: shared?.witness,
  };
  const threads = shared && { instanceId: shared.instanceId, local: shared.limiter };
  const redis = await openRedis(settings, keyring, outages, threads);
  if (redis !== undefined) opened.defer(redis.close);
  const database = await openStores({ databaseUrl: settings.databaseUrl, bus: redis?.bus, outages });
  opened.defer(database.close);
  const stores = withSharedChallenges(database, redis, keyring);
  const trail = openTrail({
    store: stores.audit,
    keyring,
    log,
    others: [metrics.events],
    sinks: openAuditSinks({
      urls: settings.auditSinks,
      webhookSecret: settings.auditWebhookSecret,
      clock: systemClock,
      onFailure: log.failure,
    }),
  });
  opened.defer(trail.close);
  events = trail.events;

  const passwords = shared?.passwords ?? createPasswords({ cost: settings.bcryptCost });
  const memoryLimiter = createMemoryLimiter({ random: systemRandom, clock: steadyClock });
  const cspReports = createCspReportWindow();
  metrics.addSources({
    // Of what all workers share, the thread tells that started them.
    ...(!shared && { hashing: () => passwords.load, stores: { database: stores.health } }),
    ...(!redis && !shared && { limiterClients: () => memoryLimiter.clientCount }),
    ...((redis || stores.breaker) && {
      breakers: () => ({
        ...(redis && { redis: redis.breaker.state() }),
        ...(stores.breaker && { database: stores.breaker.state() }),
      }),
    }),
    auditLagSeconds: () => lagSeconds(trail.status().behindSinceMs),
    cspReports: () => cspReports.counts,
  });
  const opening = opened.move();
  return {
    keyring,
    stores,
    limiter: redis?.limiter ?? shared?.limiter ?? memoryLimiter,
    redis: redis?.breaker,
    passwords,
    metrics,
    cspReports,
    trail,
    close: () => opening.disposeAsync(),
  };
}
