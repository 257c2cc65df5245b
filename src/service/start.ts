import { describeSettings } from "../config/describe-settings.ts";
import { resolveSecret } from "../config/development-secret.ts";
import type { Settings } from "../config/settings.ts";
import { generateSecret, openKeyring } from "../crypto/keyring.ts";
import type { Passwords } from "../crypto/password.ts";
import { createPasswords } from "../crypto/password.ts";
import { createAccessTokens } from "../identity/tokens/access-tokens.ts";
import { steadyClock, systemClock } from "../kernel/clock.ts";
import type { Limiter } from "../kernel/limiter.ts";
import { systemRandom } from "../kernel/random.ts";
import { parseCidrs } from "../net/cidr.ts";
import { createMemoryLimiter } from "../stores/memory/memory-limiter.ts";
import type { Stores } from "../stores/open.ts";
import { openStores } from "../stores/open.ts";
import { createAuditCursors } from "./audit-cursor.ts";
import { openAuditSinks } from "./audit-sinks/open-sinks.ts";
import { compose } from "./compose.ts";
import { endConnections } from "./end-connections.ts";
import { startHousekeeping } from "./housekeeping.ts";
import type { Log } from "./log.ts";
import { openRedis } from "./open-redis.ts";
import { openTrail } from "./open-trail.ts";
import { createServer } from "./server.ts";

export interface RunningService {
  readonly url: string;
  readonly stores: Stores;
  /** Rejects where the service has ended by itself, for good; stays pending else. */
  readonly failure?: Promise<never>;
  /** Turns `/readyz` red and ends each connection with its next answer, but takes requests as before. */
  beginDrain(): void;
  /** Takes no new work, lets what is under way finish, then closes the stores. */
  stop(): Promise<void>;
}

/** What the workers of one service have in common. Who starts them migrates the database and keeps house. */
export interface SharedParts {
  readonly limiter: Limiter;
  readonly passwords: Passwords;
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
  const keyring = openKeyring({
    current: resolveSecret(settings, () => generateSecret(systemRandom)),
    previous: settings.previousSecrets,
  });
  const redis = await openRedis(settings, keyring, log);
  const stores = await openStores({ databaseUrl: settings.databaseUrl, bus: redis?.bus }).catch(
    async (error) => {
      await redis?.close();
      throw error;
    },
  );
  const trail = openTrail({
    store: stores.audit,
    keyring,
    log,
    sinks: openAuditSinks({
      urls: settings.auditSinks,
      webhookSecret: settings.auditWebhookSecret,
      clock: systemClock,
      onFailure: log.failure,
    }),
  });
  let accepting = true;
  try {
    if (shared === undefined) await stores.migrate();
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
      passwords: shared?.passwords ?? createPasswords({ cost: settings.bcryptCost }),
      staticKeys: settings.apiKeys,
      limiter:
        redis?.limiter ??
        shared?.limiter ??
        createMemoryLimiter({ random: systemRandom, clock: steadyClock }),
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
      events: trail.events,
      onFailure: log.failure,
    });
    const app = await createServer({
      ...composition,
      stores,
      redis: redis?.breaker,
      auditCursors: createAuditCursors(keyring),
      registration: settings.registration,
      openDocumentation: settings.environment === "development",
      issuerUrl: isIssuerUrl(settings.tokenIssuer) ? settings.tokenIssuer : undefined,
      sessionMaxTtlMs: settings.sessionMaxTtlMs,
      describeSettings: () => describeSettings(settings),
      isAccepting: () => accepting,
    });
    const place = { host: settings.host, port: settings.port, ...(shared && { reusePort: true }) };
    await app.listen(place);
    const housekeeping = shared
      ? undefined
      : startHousekeeping({
          stores,
          signer: trail.signer,
          auditRetentionMs: settings.auditRetentionMs,
          clock: systemClock,
          onFailure: log.failure,
        });
    const address = app.server.address();
    const port = typeof address === "object" && address !== null ? address.port : settings.port;
    const host = settings.host.includes(":") ? `[${settings.host}]` : settings.host;
    let connections: { stop(): void } | undefined;
    const beginDrain = (): void => {
      accepting = false;
      connections ??= endConnections(port);
    };
    return {
      url: `http://${host}:${port}`,
      stores,
      beginDrain,
      async stop() {
        beginDrain();
        housekeeping?.stop();
        await app.close();
        connections?.stop();
        await redis?.close();
        await trail.close();
        await stores.close();
      },
    };
  } catch (error) {
    await redis?.close();
    await trail.close();
    await stores.close();
    throw error;
  }
}

/** RFC 8414 section 2: a URL without query or fragment. */
function isIssuerUrl(issuer: string): boolean {
  return /^https?:\/\/[^?#*]+$/.test(issuer) && URL.canParse(issuer);
}
