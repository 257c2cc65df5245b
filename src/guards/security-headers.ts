import type { Exchange } from "../kernel/exchange.ts";
import type { Random } from "../kernel/random.ts";
import { randomToken } from "../kernel/random.ts";
import type { ContentSecurityPolicy, CspDirectives } from "./content-security-policy.ts";
import {
  CSP_REPORT_GROUP,
  CSP_REPORT_PATH,
  compileContentSecurityPolicy,
  NONCE,
} from "./content-security-policy.ts";

export interface SecurityHeadersOptions {
  /** The policy of every response that asks for no other; `API_POLICY` unless told. */
  readonly contentSecurityPolicy?: CspDirectives;
  /** Browsers report violations of the policy but do not enforce it. */
  readonly cspReportOnly?: boolean;
  /**
   * A policy to try out beside the one that is enforced: browsers report what it would have blocked, on pages too. Not
   * together with `cspReportOnly`, which leaves nothing to stand beside.
   */
  readonly reportOnlyPolicy?: CspDirectives;
  /** How long browsers keep to HTTPS (s): a year at least, two unless told (ASVS V3.4.1). */
  readonly hstsMaxAgeSeconds?: number;
  /** `0` unless told: the filter it controls has itself been a way to attack pages (OWASP). */
  readonly xssProtection?: "0" | "1" | "1; mode=block";
}

/** Constant headers, flat: lower-case name, value, name, value. */
export interface SecurityHeaders {
  readonly base: readonly string[];
  /** The same with `Strict-Transport-Security`, which has no meaning over plain HTTP (RFC 6797 section 7.2). */
  readonly baseHttps: readonly string[];
  /** The policy that is tried out, where there is one. */
  readonly reportOnly: ContentSecurityPolicy | undefined;
}

const ENFORCED = "content-security-policy";
const REPORTED = "content-security-policy-report-only";
const YEAR_SECONDS = 31_536_000;
const NONCE_BYTES = 16;

/** What an API's responses need to do as documents: nothing. */
export const API_POLICY: CspDirectives = Object.freeze({
  "default-src": ["'none'"],
  "frame-ancestors": ["'none'"],
  "base-uri": ["'none'"],
  "form-action": ["'none'"],
  "object-src": ["'none'"],
});

/** For a page of our own: scripts and styles of this origin and of the response's nonce (ASVS V3.4.3). */
export const PAGE_POLICY: ContentSecurityPolicy = compileContentSecurityPolicy({
  "default-src": ["'none'"],
  "script-src": ["'self'", NONCE],
  "style-src": ["'self'", NONCE],
  "img-src": ["'self'", "data:"],
  "font-src": ["'self'"],
  "connect-src": ["'self'"],
  "form-action": ["'self'"],
  "frame-ancestors": ["'none'"],
  "base-uri": ["'none'"],
  "object-src": ["'none'"],
});

/** Passkeys are for our own pages; nothing needs the rest. */
const PERMISSIONS = [
  ...[
    "accelerometer",
    "bluetooth",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
  ].map((feature) => `${feature}=()`),
  "publickey-credentials-create=(self)",
  "publickey-credentials-get=(self)",
].join(", ");

/**
 * Builds the headers that every response carries, refusals too (OWASP Secure Headers; ASVS V3.4.1 to V3.4.8). They
 * are constants: an exchange begins with a copy of `base` or `baseHttps`. Throws `TypeError` for a wrong option.
 */
export function createSecurityHeaders(options: SecurityHeadersOptions = {}): SecurityHeaders {
  const { hstsMaxAgeSeconds = 2 * YEAR_SECONDS, xssProtection = "0", cspReportOnly = false } = options;
  if (!Number.isSafeInteger(hstsMaxAgeSeconds) || hstsMaxAgeSeconds < YEAR_SECONDS) {
    throw new TypeError(`hstsMaxAgeSeconds must be a whole number of at least ${YEAR_SECONDS} (a year)`);
  }
  if (!["0", "1", "1; mode=block"].includes(xssProtection)) {
    throw new TypeError('xssProtection must be "0", "1" or "1; mode=block"');
  }
  const { reportOnlyPolicy } = options;
  if (cspReportOnly && reportOnlyPolicy !== undefined) {
    throw new TypeError("reportOnlyPolicy stands beside an enforced policy; leave out cspReportOnly");
  }
  const policy = compileContentSecurityPolicy(options.contentSecurityPolicy ?? API_POLICY);
  const reportOnly = reportOnlyPolicy && compileContentSecurityPolicy(reportOnlyPolicy);
  const headers: Readonly<Record<string, string>> = {
    [cspReportOnly ? REPORTED : ENFORCED]: policy.value,
    ...(reportOnly && { [REPORTED]: reportOnly.value }),
    "reporting-endpoints": `${CSP_REPORT_GROUP}="${CSP_REPORT_PATH}"`,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-xss-protection": xssProtection,
    "referrer-policy": "no-referrer",
    "permissions-policy": PERMISSIONS,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
  };
  const base = Object.freeze(Object.entries(headers).flat());
  const hsts = ["strict-transport-security", `max-age=${hstsMaxAgeSeconds}; includeSubDomains`];
  return { base, baseHttps: Object.freeze([...base, ...hsts]), reportOnly };
}

/**
 * Gives the response a page's policy and returns its nonce: 128 random bits, fresh for each response and the same
 * however often one asks (CSP Level 3 section 7.1). Enforced or only reported, as the exchange's own policy is; the
 * policy that is tried out beside it gets the nonce too.
 */
export function useNonce(
  exchange: Exchange,
  random: Random,
  policy = PAGE_POLICY,
  reportOnly?: ContentSecurityPolicy,
): string {
  exchange.nonce ??= randomToken(random, NONCE_BYTES);
  const isReportedAlone = exchange.staged.includes(REPORTED) && !exchange.staged.includes(ENFORCED);
  exchange.restage(isReportedAlone ? REPORTED : ENFORCED, policy.withNonce(exchange.nonce));
  if (reportOnly?.takesNonce) exchange.restage(REPORTED, reportOnly.withNonce(exchange.nonce));
  return exchange.nonce;
}
