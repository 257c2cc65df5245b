import type { KeyObject } from "node:crypto";
import { createECDH, createPrivateKey, createPublicKey, sign, timingSafeEqual, verify } from "node:crypto";
import { prepareHmac } from "./hmac.ts";
import type { Keyring } from "./keyring.ts";

export type JwsAlgorithm = "HS512" | "EdDSA" | "ES256";

/** A public key as others fetch it (RFC 7517, RFC 8037). */
export interface PublicJwk {
  readonly kty: "OKP" | "EC";
  readonly crv: "Ed25519" | "P-256";
  readonly x: string;
  readonly y?: string;
  readonly alg: "EdDSA" | "ES256";
  readonly use: "sig";
  readonly kid: string;
}

/**
 * A key that knows its one algorithm, so that nothing in a token can choose another (RFC 8725 section 3.1). Inputs are
 * ASCII, signatures canonical base64url.
 */
export interface JwsKey {
  readonly alg: JwsAlgorithm;
  /** Names the key and tells nothing about it. */
  readonly kid: string;
  /** Absent for a secret key. */
  readonly publicJwk?: PublicJwk;
  sign(input: string): string;
  /** In time that does not depend on where the signature differs. */
  verify(input: string, signature: string): boolean;
}

const KID_BYTES = 8;

/**
 * The keys of one purpose, the signing key first and those of earlier secrets after it. Each is derived under
 * `<purpose>/<algorithm>`: no two algorithms ever share key material (ASVS V9.1.2).
 */
export function deriveJwsKeys(
  keyring: Keyring,
  purpose: string,
  algorithm: JwsAlgorithm,
): readonly [JwsKey, ...JwsKey[]] {
  const label = `${purpose}/${algorithm}`;
  const { seedBytes, create } = KINDS[algorithm];
  const seeds = keyring.deriveAll(label, seedBytes);
  const kids = keyring.deriveAll(`${label}/kid`, KID_BYTES);
  const keys = seeds.map((seed, i) => create(seed, Buffer.from(kids[i]!).toString("base64url")));
  return keys as [JwsKey, ...JwsKey[]];
}

const KINDS = {
  HS512: { seedBytes: 64, create: createHs512Key },
  EdDSA: { seedBytes: 32, create: createEdDsaKey },
  ES256: { seedBytes: 48, create: createEs256Key },
} as const satisfies Record<JwsAlgorithm, unknown>;

const HS512_TEXT_LENGTH = 86;

function createHs512Key(secret: Uint8Array, kid: string): JwsKey {
  const code = prepareHmac("sha512", secret, "base64url");
  const expected = Buffer.alloc(HS512_TEXT_LENGTH);
  const presented = Buffer.alloc(HS512_TEXT_LENGTH);
  return {
    alg: "HS512",
    kid,
    sign: code,
    verify(input, signature) {
      if (signature.length !== HS512_TEXT_LENGTH) return false;
      // UTF-8 is the identity on ASCII, and no other character can end up as an ASCII byte.
      presented.fill(0).write(signature, "utf8");
      expected.write(code(input), "latin1");
      return timingSafeEqual(expected, presented);
    },
  };
}

/** DER of a PKCS #8 Ed25519 private key (RFC 8410 section 7) up to its 32-byte seed. */
const ED25519_PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");
const ED25519_SIGNATURE_BYTES = 64;

function createEdDsaKey(seed: Uint8Array, kid: string): JwsKey {
  const der = Buffer.concat([ED25519_PKCS8_HEAD, seed]);
  const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(privateKey);
  const { x } = publicKey.export({ format: "jwk" });
  return {
    alg: "EdDSA",
    kid,
    publicJwk: Object.freeze({ kty: "OKP", crv: "Ed25519", x: x!, alg: "EdDSA", use: "sig", kid }),
    sign: (input) => sign(null, Buffer.from(input), privateKey).toString("base64url"),
    verify: (input, signature) => {
      const bytes = Buffer.from(signature, "base64url");
      return bytes.length === ED25519_SIGNATURE_BYTES && verify(null, Buffer.from(input), publicKey, bytes);
    },
  };
}

/** The order of P-256's base point (FIPS 186-5, NIST SP 800-186 section 3.2.1.3). */
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const ES256_SIGNATURE_BYTES = 64;

function createEs256Key(seed: Uint8Array, kid: string): JwsKey {
  const privateKey = p256PrivateKey(seed);
  const publicKey = createPublicKey(privateKey);
  const { x, y } = publicKey.export({ format: "jwk" });
  const signing = { key: privateKey, dsaEncoding: "ieee-p1363" } as const;
  const verifying = { key: publicKey, dsaEncoding: "ieee-p1363" } as const;
  return {
    alg: "ES256",
    kid,
    publicJwk: Object.freeze({ kty: "EC", crv: "P-256", x: x!, y: y!, alg: "ES256", use: "sig", kid }),
    sign: (input) => sign("sha256", Buffer.from(input), signing).toString("base64url"),
    verify: (input, signature) => {
      const bytes = Buffer.from(signature, "base64url");
      return bytes.length === ES256_SIGNATURE_BYTES && verify("sha256", Buffer.from(input), verifying, bytes);
    },
  };
}

/** A private key from 384 derived bits: far more than the order's 256, so the remainder is even (FIPS 186-5 A.2.1). */
function p256PrivateKey(seed: Uint8Array): KeyObject {
  const wide = BigInt(`0x${Buffer.from(seed).toString("hex")}`);
  const scalar = (wide % (P256_ORDER - 1n)) + 1n;
  const d = Buffer.from(scalar.toString(16).padStart(64, "0"), "hex");
  const curve = createECDH("prime256v1");
  curve.setPrivateKey(d);
  const point = curve.getPublicKey();
  const jwk = {
    kty: "EC",
    crv: "P-256",
    d: d.toString("base64url"),
    x: point.subarray(1, 33).toString("base64url"),
    y: point.subarray(33).toString("base64url"),
  };
  return createPrivateKey({ key: jwk, format: "jwk" });
}
