import { isUtf8 } from "node:buffer";
import { JsonFault, parseStrictJson } from "../kernel/strict-json.ts";
import { decodeBase64url, isCanonicalBase64url } from "./base64url.ts";
import type { JwsKey, PublicJwk } from "./jws-key.ts";

/** Longest token that is looked at; every one that we issue is far shorter. */
export const MAX_TOKEN_LENGTH = 4096;

export type JwsOutcome =
  /** The payload is what one of the keys signed. */
  | { readonly kind: "verified"; readonly payload: string }
  /** `cause` is for the log alone. */
  | { readonly kind: "refused"; readonly cause: string };

/** A key set as `/.well-known/jwks.json` serves it (RFC 7517 section 5). */
export interface JwkSet {
  readonly keys: readonly PublicJwk[];
}

/** Compact JSON Web Signatures of one type under pinned keys. */
export interface Jws {
  sign(payload: string): string;
  verify(token: string): JwsOutcome;
  publicJwks(): JwkSet;
}

/**
 * Signs and verifies compact JWS (RFC 7515 section 7.1) of the media type `application/<type>` (RFC 8725 section
 * 3.11). The first key signs and all verify; which algorithm is used is theirs to say, a header only has to agree.
 */
export function createJws(keys: readonly [JwsKey, ...JwsKey[]], type: string): Jws {
  const pinned = keys.map((key) => ({ key, head: `${encodeHeader(key, type)}.` }));
  const signing = pinned[0]!;
  const jwks: JwkSet = Object.freeze({
    keys: Object.freeze(keys.flatMap((key) => (key.publicJwk ? [key.publicJwk] : []))),
  });

  /** The keys that may have signed: the one whose own header this is, else those that a strict reading allows. */
  function candidates(token: string, headerEnd: number): readonly JwsKey[] | string {
    for (const { key, head } of pinned) {
      if (token.startsWith(head)) return [key];
    }
    return readHeader(token.slice(0, headerEnd), keys, type);
  }

  return {
    sign(payload) {
      const input = signing.head + Buffer.from(payload).toString("base64url");
      return `${input}.${signing.key.sign(input)}`;
    },

    verify(token) {
      if (token.length > MAX_TOKEN_LENGTH) return refused("too long");
      const headerEnd = token.indexOf(".");
      const payloadEnd = token.indexOf(".", headerEnd + 1);
      if (headerEnd < 1 || payloadEnd <= headerEnd + 1 || token.indexOf(".", payloadEnd + 1) >= 0) {
        return refused("not three segments");
      }
      const payload = decodeBase64url(token.slice(headerEnd + 1, payloadEnd));
      const signature = token.slice(payloadEnd + 1);
      if (payload === undefined || !isCanonicalBase64url(signature)) {
        return refused("not canonical base64url");
      }
      const allowed = candidates(token, headerEnd);
      if (typeof allowed === "string") return refused(allowed);
      const input = token.slice(0, payloadEnd);
      if (!allowed.some((key) => key.verify(input, signature))) return refused("wrong signature");
      return isUtf8(payload)
        ? { kind: "verified", payload: payload.toString("utf8") }
        : refused("payload is not UTF-8");
    },

    publicJwks: () => jwks,
  };
}

function encodeHeader(key: JwsKey, type: string): string {
  return Buffer.from(JSON.stringify({ alg: key.alg, typ: type, kid: key.kid })).toString("base64url");
}

/** Parameters that would bring their own key, change what is signed, or must be understood (RFC 7515 section 4.1). */
const REFUSED_PARAMETERS = ["crit", "b64", "zip", "jku", "jwk", "x5u", "x5c"] as const;

/** Which of the keys a header not of our own writing may name; else why none. */
function readHeader(segment: string, keys: readonly JwsKey[], type: string): readonly JwsKey[] | string {
  const header = parseHeader(segment);
  if (header === undefined) return "header is not a JSON object";
  for (const name of REFUSED_PARAMETERS) {
    if (Object.hasOwn(header, name)) return `header has ${name}`;
  }
  if (typeof header["typ"] !== "string" || !isType(header["typ"], type)) return "wrong typ";
  const { alg, kid } = header;
  const named = Object.hasOwn(header, "kid") ? keys.filter((key) => key.kid === kid) : keys;
  if (named.length === 0) return "unknown kid";
  const agreeing = named.filter((key) => key.alg === alg);
  return agreeing.length === 0 ? "wrong alg" : agreeing;
}

function parseHeader(segment: string): Record<string, unknown> | undefined {
  const bytes = decodeBase64url(segment);
  if (bytes === undefined || !isUtf8(bytes)) return undefined;
  try {
    const value = parseStrictJson(bytes.toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch (error) {
    if (error instanceof JsonFault) return undefined;
    throw error;
  }
}

/** Media types compare without regard to case, and `application/` may be left out (RFC 7515 section 4.1.9). */
function isType(presented: string, type: string): boolean {
  const lower = presented.toLowerCase();
  return lower === type || lower === `application/${type}`;
}

function refused(cause: string): JwsOutcome {
  return { kind: "refused", cause };
}
