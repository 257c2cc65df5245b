import type { AccessTokens } from "../../identity/tokens/access-tokens.ts";
import { rejected } from "../../kernel/authentication.ts";
import type { ApiKeyAuthenticator } from "./api-key.ts";
import type { Authenticator } from "./authenticator.ts";
import type { LiveCredentials } from "./live-credentials.ts";
import type { LiveKeys } from "./live-keys.ts";

export interface BearerOptions {
  readonly tokens: AccessTokens;
  readonly live: LiveCredentials;
  readonly liveKeys: LiveKeys;
  /** Who takes a bearer that is an API key by its form. */
  readonly apiKey: Pick<ApiKeyAuthenticator, "isApiKey" | "authenticateKey">;
}

/** Access tokens in `Authorization: Bearer` (RFC 6750 section 2.1), the only place they are taken from. */
export function createBearer(options: BearerOptions): Authenticator {
  const { tokens, live, liveKeys, apiKey } = options;
  return {
    name: "bearer",
    isShown: (exchange) => exchange.view.header("authorization") !== undefined,
    authenticate(exchange) {
      // Two lines are two callers' words: which of them a proxy in front has judged is anyone's guess.
      if (exchange.view.headerLines("authorization").length !== 1) {
        return rejected("unknown", "more than one Authorization header");
      }
      const credential = bearerOf(exchange.view.header("authorization")!);
      if (credential === undefined) return rejected("unknown", "not a bearer credential", "unauthenticated");
      if (apiKey.isApiKey(credential)) return apiKey.authenticateKey(exchange, credential);
      const outcome = tokens.verify(credential, exchange.nowMs);
      if (outcome.kind === "valid") {
        const { claims } = outcome;
        return claims.kind === "user"
          ? live.ofClaims(claims, exchange.nowMs)
          : liveKeys.ofClaims(claims, exchange.nowMs);
      }
      return outcome.kind === "expired"
        ? rejected("access_token", "expired", "token_expired")
        : rejected("access_token", outcome.cause);
    },
  };
}

/** The credential after a `Bearer` scheme (any case, one space), or `undefined`. */
function bearerOf(header: string): string | undefined {
  if (header.length < 8 || header.charCodeAt(6) !== 0x20) return undefined;
  if (!header.startsWith("Bearer") && header.slice(0, 6).toLowerCase() !== "bearer") return undefined;
  return header.slice(7);
}
