import { AUDIT_SETTINGS } from "./audit-settings.ts";
import { GATE_SETTINGS } from "./gate-settings.ts";
import type { Kind } from "./kind.ts";
import { listOf } from "./kind.ts";
import {
  claimText,
  directory,
  duration,
  graceOrOff,
  host,
  limitOrOff,
  oneOf,
  onOff,
  port,
  wholeNumber,
} from "./plain-kinds.ts";
import { addressRanges } from "./range-kinds.ts";
import { REDIS_SETTINGS } from "./redis-settings.ts";
import { secret, secrets, staticApiKeys } from "./secret-kinds.ts";
import type { Environment, Settings } from "./settings.ts";
import { ENVIRONMENTS, INSECURE_CHOICES, LOG_LEVELS, TOKEN_ALGORITHMS } from "./settings.ts";
import { databaseUrl, origins, passkeyOrigins } from "./url-kinds.ts";

/** What a default may depend on. */
export interface DefaultContext {
  readonly environment: Environment;
  readonly dataDir: string;
}

/** What holds where a setting is not given: a text in its own notation, or a value that has none. */
export type Default<T> =
  | { readonly shown: string; readonly text: (context: DefaultContext) => string }
  | { readonly shown: string; readonly value: T };

export interface Setting<T> {
  readonly variable: string;
  readonly kind: Kind<NonNullable<T>>;
  readonly default: Default<T>;
  /** The whole value is a secret: of it is only ever said whether it is set. */
  readonly secret?: true;
  readonly meaning: string;
}

function always(text: string): Default<never> {
  return { shown: `\`${text}\``, text: () => text };
}

function inDevelopment(development: string, elsewhere: string): Default<never> {
  return {
    shown: `\`${development}\` in development, else \`${elsewhere}\``,
    text: ({ environment }) => (environment === "development" ? development : elsewhere),
  };
}

function none<T>(value: T, shown = "none"): Default<T> {
  return { shown, value };
}

/** Every setting, in the order of docs/settings.md; the environment and the data directory before what needs them. */
export const SCHEMA: { readonly [Name in keyof Settings]: Setting<Settings[Name]> } = {
  environment: {
    variable: "KYROS_ENV",
    kind: oneOf(ENVIRONMENTS),
    default: always("development"),
    meaning:
      "Production and staging refuse to start without a secret, or with a weak setting not marked as wanted.",
  },
  host: {
    variable: "KYROS_HOST",
    kind: host,
    default: always("127.0.0.1"),
    meaning: "The address to listen on.",
  },
  port: {
    variable: "KYROS_PORT",
    kind: port,
    default: always("8000"),
    meaning: "The port to listen on.",
  },
  dataDir: {
    variable: "KYROS_DATA_DIR",
    kind: directory,
    default: always(".kyros"),
    meaning: "Where the embedded database and the development secret live (mode 0700, files 0600).",
  },
  databaseUrl: {
    variable: "DATABASE_URL",
    kind: databaseUrl,
    default: {
      shown: "`sqlite:<data dir>/kyros.db`",
      text: ({ dataDir }) => `sqlite:${dataDir.replace(/\/+$/, "")}/kyros.db`,
    },
    meaning: "The database.",
  },
  ...REDIS_SETTINGS,
  secret: {
    variable: "KYROS_SECRET",
    kind: secret,
    default: none(undefined, "generated and kept in development; required elsewhere"),
    secret: true,
    meaning: "Every key is derived from it (HKDF, one label a purpose).",
  },
  previousSecrets: {
    variable: "KYROS_SECRET_PREVIOUS",
    kind: secrets,
    default: none([]),
    secret: true,
    meaning: "Former secrets, still accepted for verification: rotation without logging anybody out.",
  },
  tokenAlgorithm: {
    variable: "KYROS_TOKEN_ALGORITHM",
    kind: oneOf(TOKEN_ALGORITHMS),
    default: always("HS512"),
    meaning: "With `EdDSA` and `ES256`, `/.well-known/jwks.json` serves the public keys.",
  },
  tokenIssuer: {
    variable: "KYROS_TOKEN_ISSUER",
    kind: claimText,
    default: always("kyros"),
    meaning: "The `iss` of access tokens.",
  },
  tokenAudience: {
    variable: "KYROS_TOKEN_AUDIENCE",
    kind: claimText,
    default: always("kyros"),
    meaning: "The `aud` of access tokens.",
  },
  accessTokenTtlMs: {
    variable: "KYROS_ACCESS_TOKEN_TTL",
    kind: duration,
    default: always("2h"),
    meaning: "How long an access token is accepted.",
  },
  refreshTokenTtlMs: {
    variable: "KYROS_REFRESH_TOKEN_TTL",
    kind: duration,
    default: always("7d"),
    meaning: "How long a refresh token is accepted.",
  },
  sessionIdleTtlMs: {
    variable: "KYROS_SESSION_IDLE_TTL",
    kind: duration,
    default: always("24h"),
    meaning: "When a session ends that nobody uses.",
  },
  sessionMaxTtlMs: {
    variable: "KYROS_SESSION_MAX_TTL",
    kind: duration,
    default: always("30d"),
    meaning: "When a session ends, however busy.",
  },
  bcryptCost: {
    variable: "KYROS_BCRYPT_COST",
    kind: wholeNumber(10, 15),
    default: always("12"),
    meaning: "The work of a password hash; a stored hash of lower cost is upgraded at the next login.",
  },
  rateLimit: {
    variable: "KYROS_RATE_LIMIT",
    kind: limitOrOff,
    default: inDevelopment("100/15m", "1000/1h"),
    meaning: "The default policy, per user, API key or client address.",
  },
  loginRateLimit: {
    variable: "KYROS_LOGIN_RATE_LIMIT",
    kind: limitOrOff,
    default: always("10/1m"),
    meaning: "Per account and address on credential endpoints.",
  },
  csrf: {
    variable: "KYROS_CSRF",
    kind: onOff,
    default: always("on"),
    meaning: "Whether state-changing requests that ride on a cookie need the CSRF proof.",
  },
  forceHttps: {
    variable: "KYROS_FORCE_HTTPS",
    kind: onOff,
    default: inDevelopment("off", "on"),
    meaning: "Whether requests over plain HTTP are refused.",
  },
  trustedProxies: {
    variable: "KYROS_TRUST_PROXY",
    kind: addressRanges,
    default: none([]),
    meaning: "Proxies whose `Forwarded` and `X-Forwarded-*` are believed, walked right to left.",
  },
  corsOrigins: {
    variable: "KYROS_CORS_ORIGINS",
    kind: origins,
    default: none([]),
    meaning: "Foreign origins whose pages may call with credentials; `*` is refused.",
  },
  ...GATE_SETTINGS,
  passkeyOrigins: {
    variable: "KYROS_PASSKEY_ORIGINS",
    kind: passkeyOrigins,
    default: inDevelopment("http://localhost:8000", "off"),
    meaning: "Pages that may use passkeys, which belong to the first one's host and hosts below it.",
  },
  cspReportOnly: {
    variable: "KYROS_CSP_REPORT_ONLY",
    kind: onOff,
    default: always("off"),
    meaning: "Whether the content security policy only reports and no longer enforces.",
  },
  apiKeys: {
    variable: "KYROS_API_KEYS",
    kind: staticApiKeys,
    default: none([]),
    secret: true,
    meaning: "Static keys for bootstrapping.",
  },
  registration: {
    variable: "KYROS_REGISTRATION",
    kind: onOff,
    default: always("off"),
    meaning: "Whether anyone may `POST /auth/register`.",
  },
  metricsPort: {
    variable: "KYROS_METRICS_PORT",
    kind: port,
    default: none(undefined, "none: `/metrics` is for admins only"),
    meaning: "Serves `/metrics` on a port of its own, on `KYROS_HOST`.",
  },
  drainGraceMs: {
    variable: "KYROS_DRAIN_GRACE",
    kind: graceOrOff,
    default: inDevelopment("off", "3s"),
    meaning:
      "How long requests are still taken after SIGTERM while `/readyz` is red, for balancers to notice.",
  },
  logLevel: {
    variable: "KYROS_LOG_LEVEL",
    kind: oneOf(LOG_LEVELS),
    default: always("info"),
    meaning: "How much is logged, as JSON lines on standard output.",
  },
  ...AUDIT_SETTINGS,
  allowInsecure: {
    variable: "KYROS_ALLOW_INSECURE",
    kind: listOf(oneOf(INSECURE_CHOICES)),
    default: none([]),
    meaning: "Weak settings that are wanted, by the id of the check that finds them.",
  },
};

/** The settings in order, by their names in `Settings`. */
export const SETTINGS = Object.entries(SCHEMA) as readonly (readonly [keyof Settings, Setting<unknown>])[];
