import type { Challenge } from "../identity/factors/challenge.ts";
import type { Passkey, TotpConfirmation, TotpFactor } from "../identity/factors/factor.ts";
import { SAMPLE_NOW_MS, sampleHash, sampleId } from "./samples.ts";

/** The pending TOTP factor of the `n`th user. */
export function sampleTotp(n: number, parts: Partial<TotpFactor> = {}): TotpFactor {
  return {
    id: sampleId(1000 + n),
    userId: sampleId(n),
    sealedSecret: `1.aaaaaaaa.secret${n}`,
    createdAtMs: SAMPLE_NOW_MS,
    confirmedAtMs: null,
    lastStep: null,
    ...parts,
  };
}

/** What confirms it, with three recovery codes. */
export function sampleConfirmation(n: number, parts: Partial<TotpConfirmation> = {}): TotpConfirmation {
  return {
    id: sampleId(1000 + n),
    userId: sampleId(n),
    step: 100,
    nowMs: SAMPLE_NOW_MS + 1,
    recoveryCodeHashes: [1, 2, 3].map((code) => sampleHash(`code${code}`)),
    ...parts,
  };
}

/** The `n`th passkey, of user 0. */
export function samplePasskey(n: number, parts: Partial<Passkey> = {}): Passkey {
  return {
    id: sampleId(n),
    userId: sampleId(0),
    credentialId: `credential${n}`,
    publicKey: `key${n}`,
    counter: 7,
    name: `passkey ${n}`,
    transports: ["internal", "hybrid"],
    createdAtMs: SAMPLE_NOW_MS,
    lastUsedAtMs: null,
    ...parts,
  };
}

/** A second step of user 0, good for a second from `SAMPLE_NOW_MS`. */
export function sampleChallenge(n: number, parts: Partial<Challenge> = {}): Challenge {
  return {
    hash: sampleHash(`challenge${n}`),
    purpose: "second_step",
    userId: sampleId(0),
    boundTo: null,
    sessionKind: "browser",
    passwordChangedAtMs: SAMPLE_NOW_MS - 2,
    roleChangedAtMs: SAMPLE_NOW_MS - 1,
    tries: 0,
    expiresAtMs: SAMPLE_NOW_MS + 1000,
    ...parts,
  };
}
