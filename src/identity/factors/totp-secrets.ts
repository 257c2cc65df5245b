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
  /** Seals with the current key whatever a former one has sealed. */
  resealAll(store: FactorStore): Promise<Resealing>;
}

/** How many secrets were sealed anew, and how many no configured secret opens. */
export interface Resealing {
  readonly resealed: number;
  readonly unopened: number;
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
      let unopened = 0;
      let afterUserId: string | undefined;
      for (;;) {
        const found = await store.listTotpSealedOtherwise(sealing.currentPrefix, BATCH, afterUserId);
        for (const factor of found) {
          const secret = sealing.open(factor.sealedSecret, placeOf(factor));
          // It stays as it is: the secret that it was sealed with may come back.
          if (secret === undefined) {
            unopened += 1;
            continue;
          }
          const sealed = sealing.seal(secret, placeOf(factor));
          if (await store.resealTotp(factor.id, factor.sealedSecret, sealed)) resealed += 1;
        }
        if (found.length < BATCH) return { resealed, unopened };
        // Past those that stayed, too: else a batch of them would hide all that come after it.
        afterUserId = found.at(-1)?.userId;
      }
    },
  };
}

/** Where a sealed secret belongs: moved to another account, it does not open. */
function placeOf({ id, userId }: Pick<TotpFactor, "id" | "userId">): string {
  return `totp ${userId} ${id}`;
}
