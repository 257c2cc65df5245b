import type { Exchange } from "../kernel/exchange.ts";
import type { Answer, Guard } from "../kernel/guard.ts";
import { PASS } from "../kernel/guard.ts";
import { parseOrigins } from "../net/origin.ts";

export interface CorsOptions {
  /** Exact origins whose pages may read answers; or `["*"]`, any page, without credentials. None: CORS is off. */
  readonly origins: readonly string[];
  /** Let those pages use cookies. */
  readonly credentials?: boolean;
  readonly methods?: readonly string[];
  /** Request headers that those pages may set. */
  readonly allowedHeaders?: readonly string[];
  /** Response headers that those pages may read. */
  readonly exposedHeaders?: readonly string[];
  /** How long a browser may keep a preflight's answer (s). */
  readonly maxAgeSeconds?: number;
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
const ALLOWED_HEADERS = ["authorization", "content-type", "x-api-key", "x-csrf-token"];
const EXPOSED_HEADERS = [
  "ratelimit",
  "ratelimit-policy",
  "retry-after",
  "x-ratelimit-limit",
  "x-ratelimit-remaining",
  "x-ratelimit-reset",
  "x-request-id",
];
const TOKEN = /^[!#$%&'+.^_`|~0-9A-Za-z-]+$/;
const LONGEST_MAX_AGE_SECONDS = 86_400;

/**
 * Lets pages of listed origins read answers (Fetch standard, CORS protocol; ASVS V3.4.2). The origin is compared whole
 * with the list and never reflected; private-network access is never granted. A preflight is answered here: 204 for
 * everybody, but for an origin that is not listed without any `Access-Control-*`, which is how a browser is told no —
 * the same status tells a scanner nothing, and the request itself would be judged by the other guards anyway.
 * CORS opens answers to pages; it protects no request, and so refuses none.
 * Throws `TypeError` or `OriginFault` for a wrong option.
 */
export function createCors(options: CorsOptions): Guard {
  const { origins, credentials = false, maxAgeSeconds = 600 } = options;
  if (origins.length === 0) return Object.freeze({ name: "cors", check: () => PASS });
  const anyOrigin = origins.length === 1 && origins[0] === "*";
  if (anyOrigin && credentials) {
    throw new TypeError('"*" with credentials lets every page act as your users; list the exact origins');
  }
  const listed = anyOrigin ? new Set<string>() : parseOrigins(origins);
  const methods = list("methods", options.methods ?? METHODS);
  const allowedHeaders = list("allowedHeaders", options.allowedHeaders ?? ALLOWED_HEADERS);
  const exposedHeaders = list("exposedHeaders", options.exposedHeaders ?? EXPOSED_HEADERS);
  if (!Number.isInteger(maxAgeSeconds) || maxAgeSeconds < 0 || maxAgeSeconds > LONGEST_MAX_AGE_SECONDS) {
    throw new TypeError(`maxAgeSeconds must be a whole number from 0 to ${LONGEST_MAX_AGE_SECONDS}`);
  }

  const refusedPreflight = preflightAnswer([]);
  const allowedPreflight = preflightAnswer([
    ["access-control-allow-methods", methods],
    ["access-control-allow-headers", allowedHeaders],
    ["access-control-max-age", String(maxAgeSeconds)],
  ]);

  return {
    name: "cors",
    check(exchange) {
      // Also where no origin came along: a cache must not hand this answer to a page that sends one.
      exchange.stage("vary", "Origin");
      const origin = exchange.view.header("origin");
      if (origin === undefined) return PASS;
      const allowed = anyOrigin || listed.has(origin);
      if (allowed) {
        exchange.stage("access-control-allow-origin", anyOrigin ? "*" : origin);
        if (credentials) exchange.stage("access-control-allow-credentials", "true");
      }
      if (isPreflight(exchange)) return allowed ? allowedPreflight : refusedPreflight;
      if (allowed && exposedHeaders !== "") {
        exchange.stage("access-control-expose-headers", exposedHeaders);
      }
      return PASS;
    },
  };
}

function isPreflight({ view }: Exchange): boolean {
  return view.method === "OPTIONS" && view.header("access-control-request-method") !== undefined;
}

function preflightAnswer(pairs: readonly (readonly [name: string, value: string])[]) {
  const headers = pairs.filter(([, value]) => value !== "").flat();
  const answer: Answer = Object.freeze({ status: 204, headers: Object.freeze(headers), body: "" });
  return Object.freeze({ kind: "answer" as const, answer });
}

/** `*` is refused here too: with credentials it would be a literal, without them more than anybody means. */
function list(option: string, tokens: readonly string[]): string {
  for (const token of tokens) {
    if (!TOKEN.test(token)) throw new TypeError(`${option} has ${JSON.stringify(token)}, which is no token`);
  }
  return tokens.join(", ");
}
