import type { Keyring } from "../crypto/keyring.ts";
import type { PasskeyParty } from "../crypto/passkey.ts";
import { createPasskeyCeremonies } from "../crypto/passkey.ts";
import type { Passwords } from "../crypto/password.ts";
import { createSealing } from "../crypto/sealing.ts";
import type { Accounts } from "../identity/accounts/accounts.ts";
import { createAccounts } from "../identity/accounts/accounts.ts";
import type { Lockouts } from "../identity/accounts/lockouts.ts";
import { createLockouts } from "../identity/accounts/lockouts.ts";
import type { ApiKeys, StaticKey } from "../identity/api-keys/api-keys.ts";
import { createApiKeys } from "../identity/api-keys/api-keys.ts";
import type { Factors } from "../identity/factors/factors.ts";
import { createFactors } from "../identity/factors/factors.ts";
import type { PasskeyProofs } from "../identity/factors/passkey-proofs.ts";
import { createPasskeyProofs } from "../identity/factors/passkey-proofs.ts";
import type { SecondStep } from "../identity/factors/second-step.ts";
import { createSecondStep } from "../identity/factors/second-step.ts";
import type { TotpSecrets } from "../identity/factors/totp-secrets.ts";
import { createTotpSecrets } from "../identity/factors/totp-secrets.ts";
import type { Sessions } from "../identity/sessions/sessions.ts";
import { createSessions } from "../identity/sessions/sessions.ts";
import type { RefreshTokens } from "../identity/tokens/refresh-tokens.ts";
import { createRefreshTokens } from "../identity/tokens/refresh-tokens.ts";
import type { EventSink } from "../kernel/audit-event.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";
import type { Stores } from "../stores/open.ts";

/** The stores of credentials and of whom they stand for. */
export type IdentityStores = Pick<
  Stores,
  | "accounts"
  | "sessions"
  | "refreshTokens"
  | "revocations"
  | "apiKeys"
  | "lockouts"
  | "factors"
  | "challenges"
> & {
  /** Where there are other instances whose changes may not be known here. */
  readonly isCurrent?: (() => boolean) | undefined;
};

export interface IdentityParts {
  readonly keyring: Keyring;
  readonly stores: IdentityStores;
  readonly passwords: Passwords;
  readonly staticKeys: readonly StaticKey[];
  readonly ttlMs: {
    readonly refreshToken: number;
    readonly sessionIdle: number;
    readonly sessionMax: number;
  };
  /** Origins of the pages that may use passkeys, the one they belong to first; none: passkeys are off. */
  readonly passkeyOrigins: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventSink;
}

/** Credentials and their lives. */
export interface Identity {
  readonly factors: Factors;
  readonly secondStep: SecondStep;
  readonly totpSecrets: TotpSecrets;
  /** `undefined` where passkeys are off. */
  readonly passkeys: PasskeyProofs | undefined;
  readonly accounts: Accounts;
  readonly lockouts: Lockouts;
  readonly sessions: Sessions;
  readonly refreshTokens: RefreshTokens;
  readonly apiKeys: ApiKeys;
}

/** How long a used refresh token still answers with its successor (ms): parallel tabs, and replies that got lost. */
const REFRESH_GRACE_MS = 10_000;

/** Wires the domain to its stores: for the service, the library and the command line alike. */
export function composeIdentity(parts: IdentityParts): Identity {
  const { stores, random, events, ttlMs } = parts;
  const sessions = createSessions({
    store: stores.sessions,
    random,
    events,
    maxTtlMs: ttlMs.sessionMax,
    idleTtlMs: idleTtlMs(ttlMs),
  });
  const lockouts = createLockouts({ store: stores.lockouts, key: parts.keyring.derive("kyros/lockout", 32) });
  return {
    sessions,
    lockouts,
    ...composeFactors(parts, sessions, lockouts),
    accounts: createAccounts({
      clock: parts.clock,
      store: stores.accounts,
      sessions,
      lockouts,
      factors: stores.factors,
      passkeysOn: parts.passkeyOrigins.length > 0,
      passwords: parts.passwords,
      random,
      events,
    }),
    refreshTokens: createRefreshTokens({
      store: stores.refreshTokens,
      random,
      events,
      keys: parts.keyring.deriveAll("kyros/refresh-token", 32),
      ttlMs: ttlMs.refreshToken,
      graceMs: REFRESH_GRACE_MS,
    }),
    apiKeys: createApiKeys({ store: stores.apiKeys, random, events, staticKeys: parts.staticKeys }),
  };
}

/** What authenticator apps and browsers show beside the account, where no domain is known. */
const SERVICE_NAME = "Kyros";

function composeFactors(
  parts: IdentityParts,
  sessions: Sessions,
  lockouts: Lockouts,
): Pick<Identity, "factors" | "secondStep" | "totpSecrets" | "passkeys"> {
  const { random, events, passkeyOrigins } = parts;
  const { accounts, factors: store, challenges, sessions: sessionStore } = parts.stores;
  const totpSecrets = totpSecretsOf(parts);
  const party = partyOf(passkeyOrigins);
  const passkeys = party && createPasskeyProofs(createPasskeyCeremonies(party), store, challenges, random);
  const shared = { challenges, accounts, totpSecrets, random, events };
  return {
    totpSecrets,
    passkeys,
    factors: createFactors({ ...shared, store, sessionStore, sessions }),
    secondStep: createSecondStep({ ...shared, factors: store, lockouts, passkeys }),
  };
}

/** TOTP secrets as this configuration keeps them. */
export function totpSecretsOf({
  keyring,
  random,
  passkeyOrigins,
}: Pick<IdentityParts, "keyring" | "random" | "passkeyOrigins">): TotpSecrets {
  const sealing = createSealing(keyring, "kyros/totp-secret", random);
  return createTotpSecrets(sealing, random, partyOf(passkeyOrigins)?.name ?? SERVICE_NAME);
}

function partyOf(origins: readonly string[]): PasskeyParty | undefined {
  if (origins[0] === undefined) return undefined;
  const id = new URL(origins[0]).hostname;
  return { id, name: id === "localhost" ? SERVICE_NAME : id, origins };
}

/** A browser's session ends unused after the idle time; a program's, when its last refresh token has expired. */
export function idleTtlMs(ttlMs: IdentityParts["ttlMs"]): { browser: number; token: number } {
  return { browser: ttlMs.sessionIdle, token: ttlMs.refreshToken };
}
