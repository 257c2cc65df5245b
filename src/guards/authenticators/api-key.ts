import type { ApiKey, ApiKeyStore } from "../../identity/api-keys/api-key.ts";
import type { ApiKeys } from "../../identity/api-keys/api-keys.ts";
import type { AuthOutcome } from "../../kernel/authentication.ts";
import { rejected } from "../../kernel/authentication.ts";
import type { Awaitable } from "../../kernel/awaitable.ts";
import { then } from "../../kernel/awaitable.ts";
import type { Exchange } from "../../kernel/exchange.ts";
import type { Authenticator } from "./authenticator.ts";
import type { LiveKeys } from "./live-keys.ts";
import { createUseNotes } from "./use-notes.ts";

export interface ApiKeyAuthenticatorOptions {
  readonly apiKeys: ApiKeys;
  readonly store: ApiKeyStore;
  readonly liveKeys: LiveKeys;
  /** Told of the first use of a key, ever. */
  readonly onFirstUse: (apiKey: ApiKey, exchange: Exchange) => void;
  readonly onTouchFailed: (error: unknown) => void;
}

export interface ApiKeyAuthenticator extends Authenticator {
  /** Whether a bearer credential is one of these rather than a token. */
  isApiKey(text: string): boolean;
  authenticateKey(exchange: Exchange, key: string): Awaitable<AuthOutcome>;
  /** Resolves once every use has been noted. */
  settle(): Promise<void>;
}

/** A use is noted at most this often. */
const TOUCH_EVERY_MS = 60_000;

/**
 * API keys in `X-API-Key`, or as a bearer. Whatever is wrong with one, the caller is told the same as one who sent
 * none; the log is told which it was.
 */
export function createApiKeyAuthenticator(options: ApiKeyAuthenticatorOptions): ApiKeyAuthenticator {
  const { apiKeys, store, liveKeys, onFirstUse, onTouchFailed } = options;
  const uses = createUseNotes<readonly [ApiKey, Exchange]>(async (used, firstMs) => {
    for (const id of await store.touch([...used.keys()], firstMs)) onFirstUse(...used.get(id)!);
  }, onTouchFailed);

  function touch(apiKey: ApiKey, exchange: Exchange): void {
    const { nowMs } = exchange;
    if (apiKey.publicId === "" || nowMs - (apiKey.lastUsedAtMs ?? -TOUCH_EVERY_MS) < TOUCH_EVERY_MS) return;
    uses.add(apiKey.id, nowMs, [apiKey, exchange]);
  }

  const authenticator: ApiKeyAuthenticator = {
    name: "api-key",
    isShown: (exchange) => exchange.view.header("x-api-key") !== undefined,
    authenticate(exchange) {
      const lines = exchange.view.headerLines("x-api-key");
      if (lines.length !== 1) return rejected("api_key", "more than one X-API-Key header", "unauthenticated");
      return authenticator.authenticateKey(exchange, lines[0]!);
    },
    isApiKey: apiKeys.isKey,
    settle: uses.settle,
    authenticateKey(exchange, key) {
      return then(apiKeys.verify(key, exchange.client.address, exchange.nowMs), (outcome) => {
        if (outcome.kind === "invalid") return rejected("api_key", outcome.cause, "unauthenticated");
        touch(outcome.apiKey, exchange);
        return liveKeys.ofKey(outcome.apiKey);
      });
    },
  };
  return authenticator;
}
