import { describeSettings } from "../config/describe-settings.ts";
import { resolveSecret } from "../config/development-secret.ts";
import type { Settings } from "../config/settings.ts";
import { generateSecret, openKeyring } from "../crypto/keyring.ts";
import { createPasswords } from "../crypto/password.ts";
import { createAccessTokens } from "../identity/tokens/access-tokens.ts";
import { steadyClock, systemClock } from "../kernel/clock.ts";
import { bothObservers } from "../kernel/observer.ts";
import { systemRandom } from "../kernel/random.ts";
import { parseCidrs } from "../net/cidr.ts";
import { traceOf } from "../pipeline/trace-of.ts";
import { createMemoryLimiter } from "../stores/memory/memory-limiter.ts";
import type { Stores } from "../stores/open.ts";
import { openStores } from "../stores/open.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { createTracing } from "../telemetry/tracing.ts";
import { compose } from "./compose.ts";
import { createCspReportWindow } from "./csp-report-window.ts";
import { fanOut } from "./fan-out.ts";
import { startHousekeeping } from "./housekeeping.ts";
import type { Log } from "./log.ts";
import type { MetricsServer } from "./metrics-server.ts";
import { startMetricsServer } from "./metrics-server.ts";
import { createServer } from "./server.ts";

export interface RunningService {
  readonly url: string;
  /** Where metrics are, if they have a port of their own. */
  readonly metricsUrl: string | undefined;
  readonly stores: Stores;
  /** Takes no new work, lets what is under way finish, then closes the stores. */
  stop(): Promise<void>;
}

/** Starts the service that the settings describe, on a database brought to the current schema. */
export async function startService(settings: Settings, log: Log): Promise<RunningService> {
  const keyring = openKeyring({
    current: resolveSecret(settings, () => generateSecret(systemRandom)),
    previous: settings.previousSecrets,
  });
  const stores = await openStores({ databaseUrl: settings.databaseUrl });
  const metrics = createMetrics({ clock: systemClock, steadyClock });
  const passwords = createPasswords({ cost: settings.bcryptCost });
  const limiter = createMemoryLimiter({ random: systemRandom, clock: steadyClock });
  const cspReports = createCspReportWindow();
  metrics.addSources({
    hashing: () => passwords.load,
    limiterClients: () => limiter.clientCount,
    stores: { database: () => stores.health() },
    cspReports: () => cspReports.counts,
  });
  const { metricsPort } = settings;
  let metricsServer: MetricsServer | undefined;
  let accepting = true;
  try {
    await stores.migrate();
    const composition = compose({
      keyring,
      stores,
      tokens: createAccessTokens({
        keyring,
        random: systemRandom,
        algorithm: settings.tokenAlgorithm,
        issuer: settings.tokenIssuer,
        audience: settings.tokenAudience,
        ttlMs: settings.accessTokenTtlMs,
      }),
      passwords,
      staticKeys: settings.apiKeys,
      limiter,
      limits: {
        ...(settings.rateLimit !== "off" && { default: { name: "default", ...settings.rateLimit } }),
        ...(settings.loginRateLimit !== "off" && { login: { name: "login", ...settings.loginRateLimit } }),
      },
      ...(settings.trustedProxies.length > 0 && { trustedProxies: parseCidrs(settings.trustedProxies) }),
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
      events: fanOut([log.events, metrics.events]),
      observer: bothObservers(createTracing({ traceOf }), metrics.observer),
      onFailure: log.failure,
    });
    const app = await createServer({
      ...composition,
      stores,
      registration: settings.registration,
      openDocumentation: settings.environment === "development",
      issuerUrl: isIssuerUrl(settings.tokenIssuer) ? settings.tokenIssuer : undefined,
      sessionMaxTtlMs: settings.sessionMaxTtlMs,
      cspReports,
      metrics: metricsPort === undefined ? metrics : undefined,
      describeSettings: () => describeSettings(settings),
      isAccepting: () => accepting,
    });
    if (metricsPort !== undefined) {
      metricsServer = await startMetricsServer(
        metrics,
        { host: settings.host, port: metricsPort },
        log.failure,
      );
    }
    await app.listen({ host: settings.host, port: settings.port });
    const housekeeping = startHousekeeping(stores, systemClock, log.failure);
    const address = app.server.address();
    const port = typeof address === "object" && address !== null ? address.port : settings.port;
    const host = settings.host.includes(":") ? `[${settings.host}]` : settings.host;
    return {
      url: `http://${host}:${port}`,
      metricsUrl: metricsServer?.url,
      stores,
      async stop() {
        accepting = false;
        housekeeping.stop();
        await app.close();
        await metricsServer?.stop();
        metrics.stop();
        await stores.close();
      },
    };
  } catch (error) {
    metrics.stop();
    await metricsServer?.stop();
    await stores.close();
    throw error;
  }
}

/** RFC 8414 section 2: a URL without query or fragment. */
function isIssuerUrl(issuer: string): boolean {
  return /^https?:\/\/[^?#*]+$/.test(issuer) && URL.canParse(issuer);
}
