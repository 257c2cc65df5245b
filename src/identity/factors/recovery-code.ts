import { sha256Base64url } from "../../crypto/digest.ts";
import { encodeBase32 } from "../../crypto/totp.ts";
import type { Random } from "../../kernel/random.ts";

const CODES = 10;
/** 120 bits: enough for a plain hash at rest (ASVS V6.5.2 asks for 112). */
const CODE_BYTES = 15;
const GROUP = /.{6}/g;
const CANONICAL = /^[A-Z2-7]{24}$/;

/** Ten fresh codes, each in four groups of six letters and digits. */
export function generateRecoveryCodes(random: Random): readonly string[] {
  return Array.from({ length: CODES }, () =>
    encodeBase32(random.bytes(CODE_BYTES)).match(GROUP)!.join("-").toLowerCase(),
  );
}

/**
 * What a code is kept and found by; `undefined` where it has not the form of one. Case, spaces and dashes are for the
 * reader; 0, 1 and 8 are none of the digits and read as the letters they look like.
 */
export function hashRecoveryCode(userId: string, text: string): string | undefined {
  const code = text
    .replaceAll(/[\s-]/g, "")
    .toUpperCase()
    .replaceAll("0", "O")
    .replaceAll("1", "I")
    .replaceAll("8", "B");
  return CANONICAL.test(code) ? sha256Base64url(`kyros/recovery-code ${userId} ${code}`) : undefined;
}
