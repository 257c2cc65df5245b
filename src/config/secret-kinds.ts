import type { Kind } from "./kind.ts";
import { invalid, listOf, valid } from "./kind.ts";
import type { StaticApiKey } from "./settings.ts";

const LEAST_SECRET_BYTES = 64;
/** 64 random bytes have fewer than this many different values about never; typed and repeated ones have. */
const LEAST_DIFFERENT_BYTES = 16;
const LEAST_KEY_CHARACTERS = 32;
const GREATEST_KEY_CHARACTERS = 512;
const LEAST_DIFFERENT_CHARACTERS = 8;

const PLACEHOLDERS = /change[-_]?me|placeholder|password/i;

/** Whether a text begins anew after at most half of it: typed once and pasted until it was long enough. */
function repeatsItself(text: string): boolean {
  for (let period = 1; period * 2 <= text.length; period++) {
    if (text.startsWith(text.slice(period))) return true;
  }
  return false;
}

/** Whether each byte is the one before it plus a constant, like 00 01 02 03. */
function counts(bytes: Uint8Array): boolean {
  const step = (bytes[1]! - bytes[0]!) & 0xff;
  return bytes.every((byte, i) => i === 0 || ((byte - bytes[i - 1]!) & 0xff) === step);
}

/**
 * A secret that keys are derived from: at least 64 bytes in the one canonical form of unpadded base64url (RFC 4648
 * section 5), so that a text mangled on its way (cut, padded, re-encoded) stops the start. What passes here, the
 * keyring takes; a test holds the two to it, as this layer does not see that one.
 */
export const secret: Kind<string> = {
  allowed: "64 bytes or more in unpadded base64url, as `kyros secret generate` prints them",
  read(text) {
    if (!/^[A-Za-z0-9_-]+$/.test(text)) return invalid("is not unpadded base64url");
    const bytes = Buffer.from(text, "base64url");
    if (bytes.toString("base64url") !== text)
      return invalid("is not base64url in its canonical form: is it cut off?");
    if (bytes.length < LEAST_SECRET_BYTES) return invalid("is shorter than 64 bytes");
    if (new Set(bytes).size < LEAST_DIFFERENT_BYTES) {
      return invalid("is not random: it has too few different bytes");
    }
    return repeatsItself(bytes.toString("latin1")) || counts(bytes)
      ? invalid("is not random: it repeats itself or counts")
      : valid(text);
  },
  show: () => "set",
};

/** Former secrets. */
export const secrets: Kind<readonly string[]> = listOf(secret, (value) => [value]);

const staticApiKey: Kind<StaticApiKey> = {
  allowed:
    "`name:key`, the name of letters, digits and `.` `_` `-`, the key of 32 or more of A-Z a-z 0-9 `_` `-`",
  read(text) {
    const colon = text.indexOf(":");
    if (colon < 0) return invalid("has no `:` between name and key");
    const name = text.slice(0, colon);
    const key = text.slice(colon + 1);
    const faults: string[] = [];
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) faults.push("has no proper name");
    if (!/^[A-Za-z0-9_-]*$/.test(key))
      faults.push("has a key with other characters than A-Z a-z 0-9 `_` `-`");
    else if (key.length < LEAST_KEY_CHARACTERS) faults.push("has a key shorter than 32 characters");
    else if (key.length > GREATEST_KEY_CHARACTERS) faults.push("has a key longer than 512 characters");
    else if (new Set(key).size < LEAST_DIFFERENT_CHARACTERS)
      faults.push("has a key of too few different characters");
    else if (repeatsItself(key)) faults.push("has a key that repeats itself");
    else if (PLACEHOLDERS.test(key)) faults.push("has a key that is a placeholder");
    return faults.length > 0 ? invalid(...faults) : valid({ name, key });
  },
  show: () => "set",
};

/** Static API keys; two of one name, or one key under two names, would make the audit trail ambiguous. */
export const staticApiKeys: Kind<readonly StaticApiKey[]> = listOf(staticApiKey, ({ name, key }) => [
  `name ${name.toLowerCase()}`,
  `key ${key}`,
]);
