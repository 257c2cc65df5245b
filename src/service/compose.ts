import type { CsrfTokens } from "../crypto/csrf-token.ts";
import { createCsrfTokens } from "../crypto/csrf-token.ts";
import { createAuthenticate } from "../guards/authenticate.ts";
import { createApiKeyAuthenticator } from "../guards/authenticators/api-key.ts";
import { createBearer } from "../guards/authenticators/bearer.ts";
import type { LiveCredentials } from "../guards/authenticators/live-credentials.ts";
import { createLiveCredentials } from "../guards/authenticators/live-credentials.ts";
import type { LiveKeys } from "../guards/authenticators/live-keys.ts";
import { createLiveKeys } from "../guards/authenticators/live-keys.ts";
import type { SessionCookies } from "../guards/authenticators/session-cookie.ts";
import { createSessionCookie, createSessionCookies } from "../guards/authenticators/session-cookie.ts";
import type { CorsOptions } from "../guards/cors.ts";
import { createCors } from "../guards/cors.ts";
import { createCsrfGuard } from "../guards/csrf.ts";
import { createHttpsGuard } from "../guards/https.ts";
import { addressPolicy } from "../guards/limit-policy.ts";
import { createAddressLimit, createPrincipalLimit } from "../guards/rate-limit.ts";
import { createRequire } from "../guards/require.ts";
import type { SecurityHeadersOptions } from "../guards/security-headers.ts";
import { createSecurityHeaders, PAGE_POLICY, useNonce } from "../guards/security-headers.ts";
import type { LoginLimit } from "../identity/accounts/login-limit.ts";
import { createLoginLimit } from "../identity/accounts/login-limit.ts";
import type { SignIn } from "../identity/accounts/sign-in.ts";
import { createSignIn } from "../identity/accounts/sign-in.ts";
import type { ApiKey } from "../identity/api-keys/api-key.ts";
import type { AccessTokens } from "../identity/tokens/access-tokens.ts";
import type { AuditEvent, EventSink } from "../kernel/audit-event.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Exchange } from "../kernel/exchange.ts";
import type { Guard } from "../kernel/guard.ts";
import { PASS } from "../kernel/guard.ts";
import type { Limiter, LimitPolicy } from "../kernel/limiter.ts";
import type { Observer } from "../kernel/observer.ts";
import type { PolicySource } from "../kernel/policy-source.ts";
import { derivePolicy, policySource } from "../kernel/policy-source.ts";
import { createRequestIds } from "../kernel/request-id.ts";
import type { CidrSet } from "../net/cidr.ts";
import { actOf } from "../pipeline/denial-event.ts";
import type { Gate } from "../pipeline/gate.ts";
import { inOrder } from "../pipeline/order.ts";
import { createPipeline } from "../pipeline/pipeline.ts";
import { createClientResolver } from "../pipeline/resolve-client.ts";
import type { Identity, IdentityParts } from "./compose-identity.ts";
import { composeIdentity, idleTtlMs } from "./compose-identity.ts";

/** Everything a composition is made of; `createKyros` and the service fill it in from their own options. */
export interface Parts extends IdentityParts {
  readonly tokens: AccessTokens;
  readonly limiter: Limiter;
  readonly limits: {
    readonly default?: LimitPolicy | PolicySource;
    readonly login?: LimitPolicy | PolicySource;
  };
  readonly trustedProxies?: CidrSet;
  readonly forceHttps: boolean;
  readonly insecureCookies: boolean;
  readonly csrf: boolean;
  readonly cors: CorsOptions;
  readonly securityHeaders: SecurityHeadersOptions;
  readonly onFailure: (error: unknown, exchange?: Exchange) => void;
  /** Told of every request; nobody, at no cost, where it is absent. */
  readonly observer?: Observer | undefined;
}

/** The composed whole: the gate that adapters take, and the domain that routes speak to. */
export interface Composition extends Gate, Identity {
  readonly signIn: SignIn;
  readonly loginLimit: LoginLimit;
  readonly tokens: AccessTokens;
  readonly csrfTokens: CsrfTokens;
  readonly cookies: SessionCookies;
  readonly live: LiveCredentials;
  readonly liveKeys: LiveKeys;
  readonly events: EventSink;
  readonly clock: Clock;
  /** Writes down the last uses of sessions and keys; before the stores are closed. */
  settle(): Promise<void>;
}

/** A guard in the place of one that is switched off. */
const OFF: Guard = { name: "off", check: () => PASS };

/** The only wiring: what depends on what is said here and nowhere else. */
export function compose(parts: Parts): Composition {
  const { stores, clock, random, events, onFailure, keyring, limits } = parts;
  const identity = composeIdentity(parts);
  const record = recordOrReport(events, onFailure);

  const loginLimit = createLoginLimit({
    limiter: parts.limiter,
    events,
    // While a shared counter is away, nobody shall have more guesses for it.
    policy: derivePolicy(policySource(limits.login), (policy) => ({ onOutage: "strict", ...policy })),
  });
  const signIn = createSignIn({
    accounts: identity.accounts,
    store: stores.accounts,
    limit: loginLimit,
    secondStep: identity.secondStep,
    passkeys: identity.passkeys,
    events,
  });

  const cookies = createSessionCookies({ insecureOverHttp: parts.insecureCookies });
  const live = createLiveCredentials({
    accounts: stores.accounts,
    sessions: stores.sessions,
    revocations: stores.revocations,
    idleTtlMs: idleTtlMs(parts.ttlMs),
    onTouchFailed: (error) => onFailure(error),
  });
  const liveKeys = createLiveKeys(stores);
  const apiKey = createApiKeyAuthenticator({
    apiKeys: identity.apiKeys,
    store: stores.apiKeys,
    liveKeys,
    onFirstUse: (key, exchange) => record(firstUse(key, exchange)),
    onTouchFailed: (error) => onFailure(error),
  });
  const csrfTokens = createCsrfTokens({
    keyring,
    random,
    ttlMs: Math.min(parts.ttlMs.sessionIdle, 12 * 3_600_000),
  });
  const csrf = createCsrfGuard({
    tokens: csrfTokens,
    enabled: parts.csrf,
    // Whoever lets any page read answers takes none of them for their own.
    trustedOrigins: parts.cors.origins.filter((origin) => origin !== "*"),
  });
  const securityHeaders = createSecurityHeaders(parts.securityHeaders);

  const pipeline = createPipeline({
    guards: inOrder({
      https: createHttpsGuard({ force: parts.forceHttps }),
      cors: createCors(parts.cors),
      addressLimit: limits.default
        ? createAddressLimit({
            limiter: parts.limiter,
            policy: derivePolicy(policySource(limits.default), addressPolicy),
          })
        : OFF,
      authenticate: createAuthenticate({
        explicit: [createBearer({ tokens: parts.tokens, live, liveKeys, apiKey }), apiKey],
        ambient: createSessionCookie({ sessions: stores.sessions, live, cookies }),
      }),
      principalLimit: limits.default
        ? createPrincipalLimit({
            limiter: parts.limiter,
            policy: limits.default,
            policiesOf: (principal) => (principal.kind === "service" ? principal.limits : undefined),
          })
        : OFF,
      csrf,
      require: createRequire({ isCurrent: stores.isCurrent ?? (() => true) }),
    }).filter((guard) => guard !== OFF),
    resolveClient: createClientResolver({ trustedProxies: parts.trustedProxies }),
    baseHeaders: { http: securityHeaders.base, https: securityHeaders.baseHttps },
    nextRequestId: createRequestIds(random),
    clock,
    record,
    onFailure,
    observer: parts.observer,
  });

  return {
    pipeline,
    checkForm: csrf.checkFormToken,
    useNonce: (exchange) => useNonce(exchange, random, PAGE_POLICY, securityHeaders.reportOnly),
    ...identity,
    signIn,
    loginLimit,
    tokens: parts.tokens,
    csrfTokens,
    cookies,
    live,
    liveKeys,
    events,
    clock,
    async settle() {
      await Promise.all([live.settle(), apiKey.settle()]);
    },
  };
}

function firstUse(apiKey: ApiKey, exchange: Exchange): AuditEvent {
  return {
    ...actOf(exchange),
    name: "api_key.used_first",
    outcome: "success",
    actor: { kind: "api_key", id: apiKey.id, name: apiKey.name },
    subject: apiKey.id,
  };
}

/** Records a guard's refusal. The refusal stands whether or not it could be recorded: that failure is reported. */
function recordOrReport(events: EventSink, onFailure: (error: unknown) => void): (event: AuditEvent) => void {
  return (event) => {
    try {
      const pending = events.record(event);
      if (pending instanceof Promise) pending.catch(onFailure);
    } catch (error) {
      onFailure(error);
    }
  };
}
