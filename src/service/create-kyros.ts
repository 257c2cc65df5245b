import type { Kind } from "../config/kind.ts";
import { claimText } from "../config/plain-kinds.ts";
import { staticApiKeys } from "../config/secret-kinds.ts";
import { passkeyOrigins } from "../config/url-kinds.ts";
import type { JwsAlgorithm } from "../crypto/jws-key.ts";
import { openKeyring } from "../crypto/keyring.ts";
import { createPasswords } from "../crypto/password.ts";
import type { CorsOptions } from "../guards/cors.ts";
import { createLimitHeaders } from "../guards/limit-headers.ts";
import { parseLimit } from "../guards/limit-policy.ts";
import type { SecurityHeadersOptions } from "../guards/security-headers.ts";
import type { AccountStore } from "../identity/accounts/account.ts";
import type { LockoutStore } from "../identity/accounts/lockout.ts";
import type { ApiKeyStore } from "../identity/api-keys/api-key.ts";
import type { ChallengeStore } from "../identity/factors/challenge.ts";
import type { FactorStore } from "../identity/factors/factor.ts";
import type { SessionStore } from "../identity/sessions/session.ts";
import { createAccessTokens } from "../identity/tokens/access-tokens.ts";
import type { RefreshTokenStore } from "../identity/tokens/refresh-token.ts";
import type { RevocationStore } from "../identity/tokens/revocation.ts";
import type { EventSink } from "../kernel/audit-event.ts";
import type { Clock } from "../kernel/clock.ts";
import { steadyClock, systemClock } from "../kernel/clock.ts";
import { parseDuration } from "../kernel/duration.ts";
import type { Limiter, LimitPolicy } from "../kernel/limiter.ts";
import type { Observer } from "../kernel/observer.ts";
import { bothObservers } from "../kernel/observer.ts";
import type { Random } from "../kernel/random.ts";
import { systemRandom } from "../kernel/random.ts";
import { parseCidrs } from "../net/cidr.ts";
import type { RouteGuards } from "../pipeline/route-guards.ts";
import { routeGuards } from "../pipeline/route-guards.ts";
import { traceOf } from "../pipeline/trace-of.ts";
import { compileRate } from "../stores/gcra-rate.ts";
import { createMemoryLimiter } from "../stores/memory/memory-limiter.ts";
import { createMemoryStores } from "../stores/memory/memory-stores.ts";
import { createTracing } from "../telemetry/tracing.ts";
import type { Composition, Parts } from "./compose.ts";
import { compose } from "./compose.ts";
import { failureReport } from "./failure-report.ts";

/** What `createKyros` may be told. Only the secret is needed; what is left out is the safe choice. */
export interface KyrosOptions {
  /** 64 bytes or more in base64url; `npx kyros secret generate` makes one. */
  readonly secret: string;
  /** Former secrets, still accepted for verification. */
  readonly previousSecrets?: readonly string[];
  readonly issuer?: string;
  readonly audience?: string;
  readonly algorithm?: JwsAlgorithm;
  /** Lives, like `2h`; access token 2h, refresh token 7d, session 24h without use and 30d in all. */
  readonly ttl?: {
    readonly accessToken?: string;
    readonly refreshToken?: string;
    readonly sessionIdle?: string;
    readonly sessionMax?: string;
  };
  /** Where accounts, sessions and the rest live; in memory unless told. Each port is one small interface. */
  readonly stores?: Partial<KyrosStores>;
  /**
   * Like `100/15m`, per user, API key or address, and per account and address at sign-in; `1000/1h` and `10/1m`. A
   * policy as an object also says what holds while a shared counter is away.
   */
  readonly limits?: {
    readonly default?: string | "off" | LimitPolicy;
    readonly login?: string | "off" | LimitPolicy;
  };
  readonly limiter?: Limiter;
  /** Keys known to the operator, of 32 characters or more. */
  readonly apiKeys?: readonly { readonly name: string; readonly key: string }[];
  readonly bcryptCost?: number;
  /** Origins of the pages that may use passkeys; the first one's host is the domain they belong to. None: off. */
  readonly passkeyOrigins?: readonly string[];
  /** CIDR ranges of the proxies whose forwarded headers are believed; none unless told. */
  readonly trustedProxies?: readonly string[];
  readonly cors?: CorsOptions;
  readonly securityHeaders?: SecurityHeadersOptions;
  /** Serves plain HTTP too, with cookies that travel over it: for development on one machine. */
  readonly insecureHttp?: boolean;
  /** Leaves out the CSRF check. */
  readonly insecureNoCsrf?: boolean;
  /** Security events; nowhere unless told. */
  readonly events?: EventSink;
  /** Told of every request on its way, for metrics of the host; nobody unless told. */
  readonly observer?: Observer;
  /** Failures that are nobody's refusal; `process.emitWarning` unless told. */
  readonly onFailure?: (error: unknown) => void;
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface KyrosStores {
  readonly accounts: AccountStore;
  readonly sessions: SessionStore;
  readonly refreshTokens: RefreshTokenStore;
  readonly revocations: RevocationStore;
  readonly apiKeys: ApiKeyStore;
  readonly lockouts: LockoutStore;
  readonly factors: FactorStore;
  readonly challenges: ChallengeStore;
  /** Where other instances change the same stores: whether their changes until a moment ago are known here. */
  readonly isCurrent?: () => boolean;
}

export interface Kyros extends Composition, RouteGuards {}

/** Puts the guards together for a host app. Throws one line that names the option where one is wrong. */
export function createKyros(options: KyrosOptions): Kyros {
  return { ...compose(partsOf(options)), ...routeGuards };
}

/** What the options are made into, before it is put together. */
export function partsOf(options: KyrosOptions): Parts {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const keyring = openKeyring({ current: options.secret, previous: options.previousSecrets ?? [] });
  const defaultLimit = limitOf("limits.default", "default", options.limits?.default ?? "1000/1h");
  const loginLimit = limitOf("limits.login", "login", options.limits?.login ?? "10/1m");
  const tracing = createTracing({ traceOf });
  return {
    keyring,
    stores: { ...createMemoryStores(), ...options.stores },
    tokens: createAccessTokens({
      keyring,
      random,
      issuer: readAs(claimText, "issuer", options.issuer ?? "kyros"),
      audience: readAs(claimText, "audience", options.audience ?? "kyros"),
      algorithm: algorithmOf(options.algorithm ?? "HS512"),
      ttlMs: ttlOf("accessToken", options.ttl?.accessToken ?? "2h"),
    }),
    passwords: createPasswords({ cost: options.bcryptCost ?? 12 }),
    staticKeys: staticKeysOf(options.apiKeys ?? []),
    passkeyOrigins: readAs(passkeyOrigins, "passkeyOrigins", options.passkeyOrigins?.join(",") || "off"),
    limiter: options.limiter ?? createMemoryLimiter({ random, clock: options.clock ?? steadyClock }),
    limits: { ...(defaultLimit && { default: defaultLimit }), ...(loginLimit && { login: loginLimit }) },
    ...(options.trustedProxies && { trustedProxies: parseCidrs(options.trustedProxies) }),
    forceHttps: options.insecureHttp !== true,
    insecureCookies: options.insecureHttp === true,
    csrf: options.insecureNoCsrf !== true,
    cors: options.cors ?? { origins: [] },
    securityHeaders: options.securityHeaders ?? {},
    ttlMs: {
      refreshToken: ttlOf("refreshToken", options.ttl?.refreshToken ?? "7d"),
      sessionIdle: ttlOf("sessionIdle", options.ttl?.sessionIdle ?? "24h"),
      sessionMax: ttlOf("sessionMax", options.ttl?.sessionMax ?? "30d"),
    },
    clock,
    random,
    events: options.events ?? { record: () => undefined },
    observer: options.observer ? bothObservers(tracing, options.observer) : tracing,
    onFailure: failureReport(options.onFailure),
  };
}

const ALGORITHMS: readonly JwsAlgorithm[] = ["HS512", "EdDSA", "ES256"];

function algorithmOf(given: JwsAlgorithm): JwsAlgorithm {
  if (!ALGORITHMS.includes(given)) throw new TypeError('algorithm: give "HS512", "EdDSA" or "ES256"');
  return given;
}

/** An empty key would be everybody's. */
function staticKeysOf(keys: NonNullable<KyrosOptions["apiKeys"]>): Parts["staticKeys"] {
  if (keys.length === 0) return keys;
  return readAs(staticApiKeys, "apiKeys", keys.map(({ name, key }) => `${name}:${key}`).join(","));
}

/** An option, held to what its setting is held to. */
function readAs<T>(kind: Kind<T>, option: string, text: string): T {
  const reading = kind.read(text);
  if ("value" in reading) return reading.value;
  throw new TypeError(`${option}: ${reading.faults.join("; ")}; give ${kind.allowed}`);
}

function limitOf(option: string, name: string, given: string | LimitPolicy): LimitPolicy | undefined {
  if (given === "off") return undefined;
  if (typeof given === "object") return checked(option, given);
  const limit = parseLimit(given);
  if (limit === undefined) throw new TypeError(`${option}: give a limit like "100/15m", or "off"`);
  return { name, ...limit };
}

/** Throws now for what the limiter, or the headers that tell of the limit, would throw for at each request. */
function checked(option: string, policy: LimitPolicy): LimitPolicy {
  try {
    compileRate(policy);
    createLimitHeaders(policy);
  } catch (error) {
    throw new TypeError(`${option}: ${(error as Error).message}`);
  }
  return policy;
}

function ttlOf(name: string, text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new TypeError(`ttl.${name}: give a duration like "2h"`);
  return ms;
}
