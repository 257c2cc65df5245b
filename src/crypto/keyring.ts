import { hkdfSync } from "node:crypto";
import type { Random } from "../kernel/random.ts";
import { randomToken } from "../kernel/random.ts";
import { decodeBase64url } from "./base64url.ts";

export const SECRET_BYTES = 64;
const MIN_DISTINCT_BYTES = 16;

/** A secret that no key may be derived from. The message says what is wrong with which one, never its value. */
export class KeyringFault extends Error {
  override readonly name = "KeyringFault";
}

export interface KeyringSecrets {
  /** What keys are derived from: canonical base64url of 64 bytes or more. */
  readonly current: string;
  /** Earlier secrets, still good for verification. */
  readonly previous?: readonly string[];
}

/** Every key there is, one purpose a label. */
export interface Keyring {
  /** `length` bytes of HKDF-SHA-512 (RFC 5869) of the current secret: empty salt, `label` as info. */
  derive(label: string, length: number): Uint8Array;
  /** The same from each secret, the current one first: to sign with the first and verify with any. */
  deriveAll(label: string, length: number): readonly Uint8Array[];
}

/**
 * Opens the keyring over the configured secrets. Throws `KeyringFault` for one that is not canonical base64url, is
 * shorter than 64 bytes, or is plainly not random (ASVS V11.2.3, V13.3.4).
 */
export function openKeyring(secrets: KeyringSecrets): Keyring {
  const current = decodeSecret("the current secret", secrets.current);
  const previous = (secrets.previous ?? []).map((text, i) => decodeSecret(`previous secret ${i + 1}`, text));
  const all = [current, ...previous];
  return {
    derive: (label, length) => expand(current, label, length),
    deriveAll: (label, length) => all.map((secret) => expand(secret, label, length)),
  };
}

/** A fresh secret for a keyring: 64 random bytes in base64url. */
export function generateSecret(random: Random): string {
  return randomToken(random, SECRET_BYTES);
}

function expand(secret: Uint8Array, label: string, length: number): Uint8Array {
  return new Uint8Array(hkdfSync("sha512", secret, "", label, length));
}

function decodeSecret(which: string, text: string): Uint8Array {
  // What a host hands over of a variable that is not set, whatever the compiler was told.
  if (typeof text !== "string")
    throw new KeyringFault(`${which} is not set: generate one with "kyros secret generate"`);
  const bytes = decodeBase64url(text);
  if (bytes === undefined) {
    throw new KeyringFault(`${which} is not base64url without padding, spaces or stray bits (RFC 4648)`);
  }
  if (bytes.byteLength < SECRET_BYTES) {
    throw new KeyringFault(`${which} has ${bytes.byteLength} bytes, and ${SECRET_BYTES} are needed`);
  }
  if (new Set(bytes).size < MIN_DISTINCT_BYTES || repeats(bytes) || counts(bytes)) {
    throw new KeyringFault(`${which} is not random: generate one with "kyros secret generate"`);
  }
  return bytes;
}

/** Whether the bytes are a shorter secret written several times. */
function repeats(bytes: Uint8Array): boolean {
  for (let period = 1; period <= bytes.byteLength / 2; period++) {
    if (bytes.every((byte, i) => i < period || byte === bytes[i - period])) return true;
  }
  return false;
}

/** Whether each byte is the one before it plus a constant, like 00 01 02 03. */
function counts(bytes: Uint8Array): boolean {
  const step = (bytes[1]! - bytes[0]!) & 0xff;
  return bytes.every((byte, i) => i === 0 || ((byte - bytes[i - 1]!) & 0xff) === step);
}
