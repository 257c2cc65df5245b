import type { Settings } from "../config/settings.ts";
import { createAccessTokens } from "../identity/tokens/access-tokens.ts";
import { steadyClock, systemClock } from "../kernel/clock.ts";
import { bothObservers } from "../kernel/observer.ts";
import { systemRandom } from "../kernel/random.ts";
import type { CidrSet } from "../net/cidr.ts";
import { parseCidrs } from "../net/cidr.ts";
import { traceOf } from "../pipeline/trace-of.ts";
import type { Stores } from "../stores/open.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { createTracing } from "../telemetry/tracing.ts";
import { createAuditCursors } from "./audit-cursor.ts";
import type { Composition } from "./compose.ts";
import { compose } from "./compose.ts";
import { createForwardAuth } from "./forward-auth/forward-auth.ts";
import { startHousekeeping } from "./housekeeping.ts";
import { watchInstance } from "./instance-state.ts";
import type { LiveSettings } from "./live-settings.ts";
import { createLiveSettings } from "./live-settings.ts";
import type { Log } from "./log.ts";
import { startMetricsServer } from "./metrics-server.ts";
import type { OpenParts, SharedParts } from "./open-parts.ts";
import { openParts } from "./open-parts.ts";
import { startRestoreGuard } from "./restore-guard.ts";
import { createServer } from "./server.ts";
import { watchConnections } from "./watch-connections.ts";

export interface RunningService {
  readonly url: string;
  /** Where metrics are, if they have a port of their own. */
  readonly metricsUrl?: string | undefined;
  readonly stores: Stores;
  /** What this thread alone has counted. */
  readonly readMetrics: Metrics["read"];
  /** Rejects where the service has ended by itself, for good; stays pending else. */
  readonly failure?: Promise<never>;
  /** Turns `/readyz` red and ends each connection with its next answer, but takes requests as before. */
  beginDrain(): void;
  /** Takes no new work, lets what is under way finish, then closes the stores. */
  stop(): Promise<void>;
}

/**
 * Starts the service that the settings describe, on a database brought to the current schema; with `shared`, as one
 * of several workers that listen on the same port, which must not be 0 for more than one of them.
 */
export async function startService(
  settings: Settings,
  log: Log,
  shared?: SharedParts,
): Promise<RunningService> {
  await using starting = new AsyncDisposableStack();
  const parts = await openParts(settings, log, shared);
  starting.defer(parts.close);
  const { stores, metrics } = parts;
  const { host, port, metricsPort } = settings;
  let accepting = true;

  if (shared === undefined) {
    await stores.migrate();
    const guard = await startRestoreGuard({ audit: stores.audit, ...settings, onFailure: log.failure });
    starting.defer(guard.stop);
  }
  const live = createLiveSettings({
    environment: settings,
    store: stores.settings,
    onChange: ({ logLevel }) => log.setLevel?.(logLevel),
    onFailure: log.failure,
  });
  await live.now();
  const trustedProxies = settings.trustedProxies.length > 0 ? parseCidrs(settings.trustedProxies) : undefined;
  const composition = composeService(live, log, parts, trustedProxies);
  starting.defer(composition.settle);
  const app = await createServer({
    ...composition,
    forwardAuth: createForwardAuth({
      pipeline: composition.pipeline,
      trustedProxies,
      rules: settings.gateRules,
      loginUrl: settings.loginUrl,
      trustedOrigins: settings.corsOrigins,
    }),
    settings: live,
    stores,
    redis: parts.redis,
    openDocumentation: settings.environment === "development",
    issuerUrl: isIssuerUrl(settings.tokenIssuer) ? settings.tokenIssuer : undefined,
    sessionMaxTtlMs: settings.sessionMaxTtlMs,
    auditCursors: createAuditCursors(parts.keyring),
    cspReports: parts.cspReports,
    metrics: metricsPort === undefined ? (shared?.metrics ?? metrics) : undefined,
    instance: watchInstance({
      clock: systemClock,
      steadyClock,
      hashing: () => parts.passwords.load,
      limits: parts.redis ? "redis" : shared ? "workers" : "memory",
      redis: parts.redis,
      auditWaiting: () => parts.trail.status().waiting,
    }),
    isAccepting: () => accepting,
  });
  let metricsUrl: string | undefined;
  if (metricsPort !== undefined && shared === undefined) {
    const server = await startMetricsServer(metrics, { host, port: metricsPort }, log.failure);
    starting.defer(server.stop);
    metricsUrl = server.url;
  }
  await app.listen({ host, port, ...(shared && { reusePort: true }) });
  const address = app.server.address();
  const boundPort = typeof address === "object" && address !== null ? address.port : port;
  if (shared === undefined) {
    const housekeeping = startHousekeeping({
      stores,
      totpSecrets: composition.totpSecrets,
      signer: parts.trail.signer,
      auditRetentionMs: settings.auditRetentionMs,
      clock: systemClock,
      onFailure: log.failure,
    });
    starting.defer(housekeeping.stop);
  }
  const connections = watchConnections(boundPort);
  starting.defer(connections.stop);
  starting.defer(() => {
    connections.endUnasked();
    return app.close();
  });
  const running = starting.move();
  const beginDrain = (): void => {
    accepting = false;
    connections.endWithAnswers();
  };
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${boundPort}`,
    metricsUrl,
    stores,
    readMetrics: metrics.read,
    beginDrain,
    async stop() {
      beginDrain();
      await running.disposeAsync();
    },
  };
}

function composeService(
  live: LiveSettings,
  log: Log,
  parts: OpenParts,
  trustedProxies: CidrSet | undefined,
): Composition {
  const settings = live.environment;
  return compose({
    ...parts,
    events: parts.trail.events,
    tokens: createAccessTokens({
      keyring: parts.keyring,
      random: systemRandom,
      algorithm: settings.tokenAlgorithm,
      issuer: settings.tokenIssuer,
      audience: settings.tokenAudience,
      ttlMs: settings.accessTokenTtlMs,
    }),
    staticKeys: settings.apiKeys,
    passkeyOrigins: settings.passkeyOrigins,
    limits: { default: live.rateLimit, login: live.loginRateLimit },
    ...(trustedProxies && { trustedProxies }),
    forceHttps: settings.forceHttps,
    insecureCookies: settings.environment === "development",
    csrf: settings.csrf,
    cors: { origins: settings.corsOrigins, credentials: true },
    securityHeaders: { cspReportOnly: settings.cspReportOnly },
    ttlMs: {
      refreshToken: settings.refreshTokenTtlMs,
      sessionIdle: settings.sessionIdleTtlMs,
      sessionMax: settings.sessionMaxTtlMs,
    },
    clock: systemClock,
    random: systemRandom,
    observer: bothObservers(createTracing({ traceOf }), parts.metrics.observer),
    onFailure: log.failure,
  });
}

/** RFC 8414 section 2: a URL without query or fragment. */
function isIssuerUrl(issuer: string): boolean {
  return /^https?:\/\/[^?#*]+$/.test(issuer) && URL.canParse(issuer);
}
