/** What a second step of signing in may be proved with. */
export const FACTOR_METHODS = ["totp", "passkey", "recovery_code"] as const;
export type FactorMethod = (typeof FACTOR_METHODS)[number];

/** A secret that an authenticator app shares (RFC 6238). A user has one at most. */
export interface TotpFactor {
  readonly id: string;
  readonly userId: string;
  /** The secret, encrypted; see `crypto/sealing.ts`. */
  readonly sealedSecret: string;
  readonly createdAtMs: number;
  /** `null` until a code has shown that the user's app has the secret; until then it asks and proves nothing. */
  readonly confirmedAtMs: number | null;
  /** The latest time step whose code was accepted: neither it nor one before it is again. */
  readonly lastStep: number | null;
}

/** A public key credential (WebAuthn). What is kept of it is no secret. */
export interface Passkey {
  readonly id: string;
  readonly userId: string;
  /** What the authenticator knows it by, base64url. */
  readonly credentialId: string;
  /** COSE key, base64url. */
  readonly publicKey: string;
  /** The latest signature counter; 0 for one that does not count. */
  readonly counter: number;
  /** The user's own word for it. */
  readonly name: string;
  readonly transports: readonly string[];
  readonly createdAtMs: number;
  readonly lastUsedAtMs: number | null;
}

/** Which factors a user has. */
export interface FactorSummary {
  /** A confirmed TOTP factor. */
  readonly totp: boolean;
  readonly passkeys: number;
  readonly recoveryCodesLeft: number;
}

export const NO_FACTORS: FactorSummary = Object.freeze({ totp: false, passkeys: 0, recoveryCodesLeft: 0 });

/** The port of second factors. Of a user who is gone, or never was, there are none. */
export interface FactorStore {
  summaryOf(userId: string): Promise<FactorSummary>;
  /** Of several users at once; one without factors may be missing. */
  summariesOf(userIds: readonly string[]): Promise<ReadonlyMap<string, FactorSummary>>;

  /** The user's TOTP factor, pending or confirmed. */
  findTotp(userId: string): Promise<TotpFactor | undefined>;
  /** Puts a pending factor in the place of another pending one; `false` where there is a confirmed one. */
  offerTotp(factor: TotpFactor): Promise<boolean>;
  /**
   * Confirms the pending factor of this id, notes the step of the code that did it, and sets the user's recovery codes
   * in place of any other, all in one step. `false` where it is not pending any more.
   */
  confirmTotp(confirmation: TotpConfirmation): Promise<boolean>;
  /** Notes that a step's code was accepted: atomic, for a confirmed factor and a later step than any before it. */
  useTotpStep(id: string, step: number): Promise<boolean>;
  /** Factors whose sealed secret does not begin with the prefix, in order of user id, from the one after `afterUserId` on. */
  listTotpSealedOtherwise(
    prefix: string,
    limit: number,
    afterUserId?: string,
  ): Promise<readonly TotpFactor[]>;
  /** Sets a new sealed secret in place of exactly the current one. */
  resealTotp(id: string, current: string, sealedSecret: string): Promise<boolean>;

  /** Sets a user's recovery codes in place of all others, in one step; `false` where there is no factor. */
  replaceRecoveryCodes(userId: string, hashes: readonly string[]): Promise<boolean>;
  /** Takes a recovery code: atomic, once. */
  useRecoveryCode(userId: string, hash: string): Promise<boolean>;

  findPasskey(credentialId: string): Promise<Passkey | undefined>;
  /** A user's passkeys in order of id, and so of creation. */
  listPasskeys(userId: string): Promise<readonly Passkey[]>;
  /**
   * Adds a passkey; sets these recovery codes in the same step where the user has none. `conflict` where the credential
   * is known, whoever's it is.
   */
  addPasskey(
    passkey: Passkey,
    recoveryCodeHashes: readonly string[],
  ): Promise<"added" | "added_with_codes" | "conflict">;
  /** Notes a use: atomic, where the counter has grown, or neither has ever counted. `false` else. */
  usePasskey(id: string, counter: number, nowMs: number): Promise<boolean>;

  /** Removes the user's TOTP factor, confirmed or pending; recovery codes go with the last factor. */
  removeTotp(userId: string): Promise<boolean>;
  /**
   * Removes one of the user's passkeys; recovery codes go with the last factor. With `keepLast`, one passkey stays
   * (`last`), of any number that are removed at once.
   */
  removePasskey(id: string, userId: string, keepLast: boolean): Promise<PasskeyRemoval>;
  /** Removes every factor and code of a user; what there was. */
  removeAll(userId: string): Promise<FactorSummary>;
}

export type PasskeyRemoval = "removed" | "unknown" | "last";

export interface TotpConfirmation {
  readonly id: string;
  readonly userId: string;
  readonly step: number;
  readonly nowMs: number;
  readonly recoveryCodeHashes: readonly string[];
}

/** Whether a second factor is asked for after the password: also where none that the user has can be shown. */
export function asksForFactor({ totp, passkeys }: FactorSummary): boolean {
  // Recovery codes are no factor alone.
  return totp || passkeys > 0;
}

/** What that second factor may be proved with, where passkeys are on, or off; nothing where none is asked for. */
export function methodsOf(
  summary: FactorSummary,
  { passkeysOn }: { readonly passkeysOn: boolean },
): readonly FactorMethod[] {
  if (!asksForFactor(summary)) return [];
  const { totp, passkeys, recoveryCodesLeft } = summary;
  return FACTOR_METHODS.filter(
    (method) =>
      (method === "totp" && totp) ||
      (method === "passkey" && passkeys > 0 && passkeysOn) ||
      (method === "recovery_code" && recoveryCodesLeft > 0),
  );
}

/** Whether a signature counter that comes after another is that of the same authenticator (WebAuthn section 6.1.1). */
export function isLaterCounter(counter: number, stored: number): boolean {
  return counter > stored || (counter === 0 && stored === 0);
}
