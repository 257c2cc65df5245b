import type { GateRule } from "../guards/gate-rule.ts";
import type { Limit } from "../guards/limit-policy.ts";

/** Where Kyros runs. Staging is held to what production is held to. */
export const ENVIRONMENTS = ["production", "staging", "development"] as const;
export type Environment = (typeof ENVIRONMENTS)[number];

export const TOKEN_ALGORITHMS = ["HS512", "EdDSA", "ES256"] as const;
export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number];

export const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The weak settings that an operator may mark as wanted, by the id of the check that finds them. */
export const INSECURE_CHOICES = [
  "csrf-off",
  "force-https-off",
  "rate-limit-off",
  "login-rate-limit-off",
  "bcrypt-cost-low",
  "csp-report-only",
  "trust-proxy-everyone",
  "cors-http-origin",
  "token-ttl-long",
  "database-in-memory",
  "database-tls-off",
] as const;
export type InsecureChoice = (typeof INSECURE_CHOICES)[number];

/** A key of `KYROS_API_KEYS`: known to the operator, for bootstrapping. */
export interface StaticApiKey {
  readonly name: string;
  readonly key: string;
}

/** What the environment says, read and validated; deeply frozen. docs/settings.md describes every setting. */
export interface Settings {
  readonly environment: Environment;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly dataDir: string;
  readonly databaseUrl: string;
  /** The nodes of a cluster, or one server; none: everything is in-process. */
  readonly redisUrls: readonly string[];
  readonly redisDeadlineMs: number;
  /** Base64url; `undefined` only in development, where `resolveSecret` has one. */
  readonly secret: string | undefined;
  readonly previousSecrets: readonly string[];
  readonly tokenAlgorithm: TokenAlgorithm;
  readonly tokenIssuer: string;
  readonly tokenAudience: string;
  readonly accessTokenTtlMs: number;
  readonly refreshTokenTtlMs: number;
  readonly sessionIdleTtlMs: number;
  readonly sessionMaxTtlMs: number;
  readonly bcryptCost: number;
  readonly rateLimit: Limit | "off";
  readonly loginRateLimit: Limit | "off";
  readonly csrf: boolean;
  readonly forceHttps: boolean;
  /** CIDR ranges and single addresses. */
  readonly trustedProxies: readonly string[];
  readonly corsOrigins: readonly string[];
  /** What `/forward-auth` asks of which requests; of all others, a signed-in user. */
  readonly gateRules: readonly GateRule[];
  /** A path or a URL; `undefined`: browsers are refused as everybody is. */
  readonly loginUrl: string | undefined;
  /** Pages that may use passkeys; the first one's host is the domain they belong to. None: passkeys are off. */
  readonly passkeyOrigins: readonly string[];
  readonly cspReportOnly: boolean;
  readonly apiKeys: readonly StaticApiKey[];
  readonly registration: boolean;
  /** `undefined`: metrics are served on the main port, to admins only. */
  readonly metricsPort: number | undefined;
  /** How long `/readyz` says no after SIGTERM before connections are refused; 0: not at all. */
  readonly drainGraceMs: number;
  readonly logLevel: LogLevel;
  /** `undefined`: entries of the audit trail are kept for ever. */
  readonly auditRetentionMs: number | undefined;
  /** URLs that entries of the audit trail are also sent to. */
  readonly auditSinks: readonly string[];
  readonly auditWebhookSecret: string | undefined;
  readonly allowInsecure: readonly InsecureChoice[];
}
