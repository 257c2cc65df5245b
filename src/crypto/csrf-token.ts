import type { Random } from "../kernel/random.ts";
import { decodeBase64url } from "./base64url.ts";
import { equalInConstantTime, hmacSha256 } from "./digest.ts";

export interface CsrfTokenOptions {
  /** Derives the MAC keys, the current one first; those after it are previous ones, accepted but not used. */
  readonly keyring: { deriveAll(label: string, length: number): readonly Uint8Array[] };
  readonly random: Random;
  /** How long a token is good for (ms): 12 hours unless told, half the idle time of a session. */
  readonly ttlMs?: number;
}

/** CSRF tokens: proofs that a page of ours has seen an answer meant for one session. */
export interface CsrfTokens {
  /** A fresh token for what it is bound to: 75 characters of base64url, never the same twice. */
  issue(binding: string, nowMs: number): string;
  verify(token: string, binding: string, nowMs: number): "valid" | "expired" | "invalid";
}

const LABEL = "kyros/csrf";
const KEY_BYTES = 32;
const TIME_BYTES = 6;
const NONCE_BYTES = 18;
const HEAD_LENGTH = 32;
const TOKEN_LENGTH = 75;
const DEFAULT_TTL_MS = 12 * 3_600_000;
/** How far another instance's clock may run ahead of this one's. */
const CLOCK_SKEW_MS = 60_000;

/**
 * Signed double-submit tokens bound to a session (OWASP CSRF Prevention; ASVS V3.5.1). A token is 48 bits of issue
 * time (ms), 144 random bits and an HMAC-SHA-256 over both and the binding, under a key of its own. The random
 * bits make every token differ from the last, so that compression next to chosen text reveals none (BREACH).
 */
export function createCsrfTokens(options: CsrfTokenOptions): CsrfTokens {
  const { random, ttlMs = DEFAULT_TTL_MS } = options;
  const keys = options.keyring.deriveAll(LABEL, KEY_BYTES);
  const current = keys[0];
  if (current === undefined) throw new TypeError("The keyring has no key for CSRF tokens");
  return {
    issue(binding, nowMs) {
      const head = Buffer.alloc(TIME_BYTES + NONCE_BYTES);
      head.writeUIntBE(nowMs, 0, TIME_BYTES);
      head.set(random.bytes(NONCE_BYTES), TIME_BYTES);
      const text = head.toString("base64url");
      return text + mac(current, text, binding).toString("base64url");
    },
    verify(token, binding, nowMs) {
      if (token.length !== TOKEN_LENGTH) return "invalid";
      const head = token.slice(0, HEAD_LENGTH);
      const claimed = decodeBase64url(token.slice(HEAD_LENGTH));
      if (claimed === undefined) return "invalid";
      if (!keys.some((key) => equalInConstantTime(mac(key, head, binding), claimed))) return "invalid";
      const issuedAtMs = Buffer.from(head, "base64url").readUIntBE(0, TIME_BYTES);
      if (issuedAtMs > nowMs + CLOCK_SKEW_MS) return "invalid";
      return nowMs < issuedAtMs + ttlMs ? "valid" : "expired";
    },
  };
}

/** One reading only: the head has a fixed length, and what follows its separator to the end is the binding. */
function mac(key: Uint8Array, head: string, binding: string): Buffer {
  return hmacSha256(key, `${LABEL}/1.${head}.${binding}`);
}
