import type { Limit } from "../guards/limit-policy.ts";
import { canonicalAddress } from "../net/address.ts";
import type { Check } from "./check.ts";
import { error, warning } from "./check.ts";
import { isTooWide } from "./range-kinds.ts";

const DAY_MS = 86_400_000;
/** NIST SP 800-63B section 3.2.2 draws its line at 100 failed attempts; a limit that never reaches it does not count. */
const MANY_ATTEMPTS_PER_MINUTE = 100;
const ENDLESS_ATTEMPTS_PER_MINUTE = 10_000;
const ENDLESS_REQUESTS_PER_MINUTE = 1_000_000;

/** The most that a limit lets through in a minute: the whole quota at once, and what comes back meanwhile. */
function mostInAMinute({ limit, windowMs }: Limit): number {
  return limit + (limit * 60_000) / windowMs;
}

function isLoopback(host: string): boolean {
  const address = canonicalAddress(host);
  if (address !== undefined) return address.startsWith("127.") || address === "::1";
  return /^(?:.+\.)?localhost$/i.test(host);
}

/** Whether the database proves who it is before it is told a password, or is on this very machine. */
function isProven(databaseUrl: string): boolean {
  if (databaseUrl.startsWith("sqlite:")) return true;
  const { hostname, searchParams } = new URL(databaseUrl);
  const mode = searchParams.get("sslmode");
  if (isLoopback(hostname.replace(/^\[(.*)\]$/, "$1")) || mode === "verify-full") return true;
  return (mode === "verify-ca" || mode === "require") && searchParams.has("sslrootcert");
}

/** Every check, in the order of its number. */
export const CHECKS: readonly Check[] = [
  {
    number: 1,
    id: "secret-missing",
    title: "The secret is given",
    variable: "KYROS_SECRET",
    judge: ({ secret, environment }) =>
      secret !== undefined || environment === "development"
        ? "ok"
        : error("is not set", "64 random bytes in base64url, as `kyros secret generate` prints them"),
  },
  {
    number: 2,
    id: "csrf-off",
    title: "Cookie-borne requests are protected from CSRF",
    variable: "KYROS_CSRF",
    judge: ({ csrf }) => (csrf ? "ok" : error("turns the CSRF protection off", "`on`")),
  },
  {
    number: 3,
    id: "force-https-off",
    title: "Plain HTTP is refused",
    variable: "KYROS_FORCE_HTTPS",
    judge({ forceHttps, environment, host }) {
      if (forceHttps || (environment === "development" && isLoopback(host))) return "ok";
      const finding = "lets credentials travel over plain HTTP";
      return environment === "development" ? warning(finding, "`on`") : error(finding, "`on`");
    },
  },
  {
    number: 4,
    id: "rate-limit-off",
    title: "Requests are limited",
    variable: "KYROS_RATE_LIMIT",
    judge: ({ rateLimit }) =>
      rateLimit !== "off" && mostInAMinute(rateLimit) <= ENDLESS_REQUESTS_PER_MINUTE
        ? "ok"
        : error("limits nobody", "a limit like `1000/1h`"),
  },
  {
    number: 5,
    id: "login-rate-limit-off",
    title: "Password guessing is limited",
    variable: "KYROS_LOGIN_RATE_LIMIT",
    judge({ loginRateLimit }) {
      const most = loginRateLimit === "off" ? Number.POSITIVE_INFINITY : mostInAMinute(loginRateLimit);
      if (most > ENDLESS_ATTEMPTS_PER_MINUTE)
        return error("lets passwords be guessed without end", "`10/1m`");
      return most > MANY_ATTEMPTS_PER_MINUTE
        ? warning("grants more than 100 guesses a minute", "a limit like `10/1m`")
        : "ok";
    },
  },
  {
    number: 6,
    id: "bcrypt-cost-low",
    title: "Password hashes are costly",
    variable: "KYROS_BCRYPT_COST",
    judge: ({ bcryptCost }) =>
      bcryptCost >= 12 ? "ok" : error("makes stolen password hashes cheap to attack", "12 to 15"),
  },
  {
    number: 7,
    id: "csp-report-only",
    title: "The content security policy is enforced",
    variable: "KYROS_CSP_REPORT_ONLY",
    judge: ({ cspReportOnly }) =>
      cspReportOnly ? error("makes the content security policy report without enforcing", "`off`") : "ok",
  },
  {
    number: 8,
    id: "trust-proxy-everyone",
    title: "Only proxies are trusted as proxies",
    variable: "KYROS_TRUST_PROXY",
    judge: ({ trustedProxies }) =>
      trustedProxies.some(isTooWide)
        ? error("lets about anybody choose their address and scheme", "the ranges of your proxies")
        : "ok",
  },
  {
    number: 9,
    id: "cors-http-origin",
    title: "Foreign pages that call come over HTTPS",
    variable: "KYROS_CORS_ORIGINS",
    judge: ({ corsOrigins }) =>
      corsOrigins.some((origin) => origin.startsWith("http:"))
        ? error("trusts pages that anyone on the network can change", "`https://` origins")
        : "ok",
  },
  {
    number: 10,
    id: "token-ttl-long",
    title: "Access tokens are short-lived",
    variable: "KYROS_ACCESS_TOKEN_TTL",
    judge: ({ accessTokenTtlMs }) =>
      accessTokenTtlMs > DAY_MS
        ? error("lets a stolen token be used for more than a day", "up to `24h`")
        : "ok",
  },
  {
    number: 11,
    id: "database-in-memory",
    title: "Accounts, revocations and the audit trail outlive the process",
    variable: "DATABASE_URL",
    judge: ({ databaseUrl }) =>
      databaseUrl === "sqlite::memory:"
        ? error("keeps the database in memory only", "the path of a file")
        : "ok",
  },
  {
    number: 12,
    id: "session-ttl-long",
    title: "Nobody stays signed in for more than 30 days",
    variable: "KYROS_SESSION_MAX_TTL",
    judge: ({ sessionMaxTtlMs }) =>
      sessionMaxTtlMs > 30 * DAY_MS
        ? warning("asks for no fresh login within 30 days (NIST SP 800-63B)", "up to `30d`")
        : "ok",
  },
  {
    number: 13,
    id: "secret-previous-set",
    title: "No former secret is still accepted",
    variable: "KYROS_SECRET_PREVIOUS",
    judge: ({ previousSecrets }) =>
      previousSecrets.length > 0
        ? warning("is set", "unset, once the tokens signed with it have expired")
        : "ok",
  },
  {
    number: 14,
    id: "api-keys-static",
    title: "API keys can be revoked and rotated",
    variable: "KYROS_API_KEYS",
    judge: ({ apiKeys }) =>
      apiKeys.length > 0 ? warning("is set", "unset, once `kyros key create` has made others") : "ok",
  },
  {
    number: 15,
    id: "registration-on",
    title: "Accounts are made by invitation",
    variable: "KYROS_REGISTRATION",
    judge: ({ registration }) => (registration ? warning("lets anyone have an account", "`off`") : "ok"),
  },
  {
    number: 16,
    id: "proxy-missing",
    title: "HTTPS requests can arrive",
    variable: "KYROS_TRUST_PROXY",
    judge: ({ forceHttps, trustedProxies }) =>
      forceHttps && trustedProxies.length === 0
        ? warning("names no proxy whose word on HTTPS is believed", "the ranges of your proxies")
        : "ok",
  },
  {
    number: 17,
    id: "log-level",
    title: "The log shows security events and little else",
    variable: "KYROS_LOG_LEVEL",
    judge({ logLevel, environment }) {
      if (logLevel === "fatal" || logLevel === "error")
        return warning("leaves security events out", "`info`");
      const verbose = logLevel === "debug" || logLevel === "trace";
      return verbose && environment !== "development" ? warning("is for development", "`info`") : "ok";
    },
  },
  {
    number: 18,
    id: "development-exposed",
    title: "Development stays on this machine",
    variable: "KYROS_ENV",
    judge: ({ environment, host }) =>
      environment === "development" && !isLoopback(host)
        ? warning("is development on an address that others can reach", "`production` or `staging`")
        : "ok",
  },
  {
    number: 19,
    id: "database-tls-off",
    title: "The database is reached over TLS that proves it",
    variable: "DATABASE_URL",
    judge: ({ databaseUrl }) =>
      isProven(databaseUrl)
        ? "ok"
        : error(
            "lets the network read and change what the database says",
            "`sslmode=verify-full` in the URL",
          ),
  },
  {
    number: 20,
    id: "gate-proxy-missing",
    title: "The gate knows the proxies it answers",
    variable: "KYROS_TRUST_PROXY",
    judge: ({ gateRules, trustedProxies }) =>
      gateRules.length > 0 && trustedProxies.length === 0
        ? warning(
            "names no proxy, so that the gate lets nobody through, whatever KYROS_GATE_RULES says",
            "the ranges of your proxies",
          )
        : "ok",
  },
];
