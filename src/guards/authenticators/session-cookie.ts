import { isCanonicalBase64url } from "../../crypto/base64url.ts";
import { sha256Base64url } from "../../crypto/digest.ts";
import type { SessionStore } from "../../identity/sessions/session.ts";
import { rejected } from "../../kernel/authentication.ts";
import { then } from "../../kernel/awaitable.ts";
import type { Exchange } from "../../kernel/exchange.ts";
import type { Authenticator } from "./authenticator.ts";
import { cookieValues } from "./cookie-values.ts";
import type { LiveCredentials } from "./live-credentials.ts";

/** 256 bits in unpadded base64url. */
const SECRET_LENGTH = 43;

export interface SessionCookieOptions {
  readonly sessions: SessionStore;
  readonly live: LiveCredentials;
  readonly cookies: SessionCookies;
}

/** Browser sessions by cookie. What comes is an opaque secret; the row is found by its hash, never by its text. */
export function createSessionCookie(options: SessionCookieOptions): Authenticator {
  const { sessions, live, cookies } = options;
  return {
    name: "session-cookie",
    isShown(exchange) {
      const header = exchange.view.header("cookie");
      return (
        header?.includes(cookies.nameFor(exchange)) === true &&
        cookieValues(header, cookies.nameFor(exchange)).length > 0
      );
    },
    authenticate(exchange) {
      const secret = cookies.read(exchange);
      if (secret === undefined)
        return rejected("session", "malformed or repeated session cookie", "unauthenticated");
      return then(sessions.findBySecretHash(sha256Base64url(secret)), (session) =>
        live.ofSession(session, exchange.nowMs),
      );
    },
  };
}

/** How the session cookie is called and written. */
export interface SessionCookies {
  /** The one well-formed secret that came along; `undefined` where there is none, or more than one. */
  read(exchange: Exchange): string | undefined;
  nameFor(exchange: Exchange): string;
  /** `Set-Cookie` that hands the browser a session's secret. */
  set(exchange: Exchange, secret: string, maxAgeSeconds: number): string;
  /** `Set-Cookie` that makes the browser forget it. */
  clear(exchange: Exchange): string;
}

/**
 * The session cookie: `__Host-kyros_session`, Secure, HttpOnly, SameSite=Lax (ASVS V3.3.1 to V3.3.4).
 * `insecureOverHttp` drops prefix and Secure on plain HTTP alone, where a browser would refuse them: for development.
 */
export function createSessionCookies(options: { readonly insecureOverHttp: boolean }): SessionCookies {
  const isPlain = (exchange: Exchange): boolean =>
    options.insecureOverHttp && exchange.client.scheme === "http";
  const nameFor = (exchange: Exchange): string =>
    isPlain(exchange) ? "kyros_session" : "__Host-kyros_session";
  const write = (exchange: Exchange, value: string, maxAgeSeconds: number): string =>
    `${nameFor(exchange)}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${isPlain(exchange) ? "" : "; Secure"}`;
  return {
    read(exchange) {
      const values = cookieValues(exchange.view.header("cookie") ?? "", nameFor(exchange));
      // A second cookie of the name was put there by somebody else (RFC 6265bis section 8.6): trust neither.
      const secret = values.length === 1 ? values[0]! : "";
      return secret.length === SECRET_LENGTH && isCanonicalBase64url(secret) ? secret : undefined;
    },
    nameFor,
    set: write,
    clear: (exchange) => write(exchange, "", 0),
  };
}
