import { createCipheriv, createDecipheriv, hash } from "node:crypto";
import type { Random } from "../kernel/random.ts";
import { decodeBase64url } from "./base64url.ts";
import type { Keyring } from "./keyring.ts";

/** Secrets that have to be read again, encrypted for a store. */
export interface Sealing {
  /** What a text sealed with the current key begins with. */
  readonly currentPrefix: string;
  /** Encrypts for one place: what is read elsewhere than `place` says does not open. */
  seal(secret: Uint8Array, place: string): string;
  /** The secret, whichever key sealed it; `undefined` where none did, for this place. */
  open(sealed: string, place: string): Uint8Array | undefined;
}

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const ALGORITHM = "aes-256-gcm";

/**
 * Authenticated encryption under keys of one purpose (AES-256-GCM, NIST SP 800-38D; ASVS V11.3.2): a random 96-bit
 * nonce each, the place as additional data. A sealed text is `1.<key id>.<nonce, ciphertext and tag>`; the id is of the
 * key alone, so that what a former secret has sealed can be found and sealed anew.
 */
export function createSealing(keyring: Keyring, label: string, random: Random): Sealing {
  const keys = keyring.deriveAll(label, KEY_BYTES).map((key) => ({ key, prefix: `1.${idOf(key)}.` }));
  const current = keys[0];
  if (current === undefined) throw new TypeError("The keyring has no key to seal with");
  return {
    currentPrefix: current.prefix,
    seal(secret, place) {
      const iv = random.bytes(IV_BYTES);
      const cipher = createCipheriv(ALGORITHM, current.key, iv, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.from(place));
      const text = Buffer.concat([iv, cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
      return current.prefix + text.toString("base64url");
    },
    open(sealed, place) {
      const sealedBy = keys.find(({ prefix }) => sealed.startsWith(prefix));
      const bytes = sealedBy && decodeBase64url(sealed.slice(sealedBy.prefix.length));
      if (bytes === undefined || bytes.length < IV_BYTES + TAG_BYTES) return undefined;
      const iv = bytes.subarray(0, IV_BYTES);
      const decipher = createDecipheriv(ALGORITHM, sealedBy!.key, iv, { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(place));
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
      } catch {
        return undefined;
      }
    },
  };
}

/** Which key it is, telling nothing of the key. */
function idOf(key: Uint8Array): string {
  return hash("sha256", Buffer.concat([Buffer.from("kyros/key-id "), key]), "hex").slice(0, 8);
}
