import type { Sealing } from "../../crypto/sealing.ts";
import { encodeBase32, matchTotp, TOTP_SECRET_BYTES, totpUri } from "../../crypto/totp.ts";
import { Outage } from "../../kernel/failure.ts";
import type { Random } from "../../kernel/random.ts";
import type { FactorStore, TotpFactor } from "./factor.ts";

/** A fresh secret as it is kept, and as its user sees it this once. */
export interface NewTotpSecret {
  readonly sealedSecret: string;
  /** Base32, to be typed where no camera reads the URI. */
  readonly text: string;
  readonly uri: string;
}

/** TOTP secrets, which are never at rest in clear. */
export interface TotpSecrets {
  create(factor: Pick<TotpFactor, "id" | "userId">, username: string): NewTotpSecret;
  /** The time step that a code is for, or `undefined`. Throws `Outage` where no configured secret opens the factor. */
  match(factor: TotpFactor, code: string, atMs: number): number | undefined;
  /** Seals with the current key what a former one has sealed; resolves to how many. */
  resealAll(store: FactorStore): Promise<number>;
}

const BATCH = 100;

export function createTotpSecrets(sealing: Sealing, random: Random, issuer: string): TotpSecrets {
  function open(factor: TotpFactor): Uint8Array {
    const secret = sealing.open(factor.sealedSecret, placeOf(factor));
    // Neither right nor wrong: the operator took away the secret that it was sealed with.
    if (secret === undefined) {
      throw new Outage("second factor", {
        cause: new Error(`TOTP factor ${factor.id} does not open: is a former secret missing?`),
      });
    }
    return secret;
  }

  return {
    create(factor, username) {
      const secret = random.bytes(TOTP_SECRET_BYTES);
      return {
        sealedSecret: sealing.seal(secret, placeOf(factor)),
        text: encodeBase32(secret),
        uri: totpUri(secret, issuer, username),
      };
    },
    // Apps show the digits in two groups, and so people type them.
    match: (factor, code, atMs) => matchTotp(open(factor), code.replaceAll(/[\s-]/g, ""), atMs),
    async resealAll(store) {
      let resealed = 0;
      for (;;) {
        const found = await store.listTotpSealedOtherwise(sealing.currentPrefix, BATCH);
        let opened = 0;
        for (const factor of found) {
          const secret = sealing.open(factor.sealedSecret, placeOf(factor));
          if (secret === undefined) continue;
          opened += 1;
          const sealed = sealing.seal(secret, placeOf(factor));
          if (await store.resealTotp(factor.id, factor.sealedSecret, sealed)) resealed += 1;
        }
        // What does not open stays as it is: its secret may come back.
        if (found.length < BATCH || opened === 0) return resealed;
      }
    },
  };
}

/** Where a sealed secret belongs: moved to another account, it does not open. */
function placeOf({ id, userId }: Pick<TotpFactor, "id" | "userId">): string {
  return `totp ${userId} ${id}`;
}
