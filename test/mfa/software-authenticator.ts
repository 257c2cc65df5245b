import type { KeyObject } from "node:crypto";
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";

type Algorithm = "ES256" | "EdDSA";

/** What the ceremony is told wrongly, or does wrongly. */
export interface Deviation {
  readonly origin?: string;
  readonly rpId?: string;
  readonly challenge?: string;
  readonly type?: string;
  readonly crossOrigin?: boolean;
  readonly topOrigin?: string;
  readonly userPresent?: boolean;
  readonly userVerified?: boolean;
  readonly counter?: number;
  readonly userHandle?: string | undefined;
  readonly signWith?: KeyObject;
  readonly attestation?: "certificate" | "android-safetynet";
}

/** An authenticator in software (WebAuthn Level 3), as a browser's page has one; it does as it is told, also wrongly. */
export interface SoftwareAuthenticator {
  readonly credentialId: string;
  readonly privateKey: KeyObject;
  create(options: CreationOptions, deviation?: Deviation): object;
  get(options: RequestOptions, deviation?: Deviation): object;
}

export interface CreationOptions {
  readonly challenge: string;
  readonly rp: { readonly id: string };
  readonly user: { readonly id: string };
}

export interface RequestOptions {
  readonly challenge: string;
  readonly rpId: string;
}

const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const ATTESTED = 0x40;

export function softwareAuthenticator(origin: string, algorithm: Algorithm = "ES256"): SoftwareAuthenticator {
  const { privateKey, publicKey } =
    algorithm === "ES256"
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : generateKeyPairSync("ed25519");
  const id = randomBytes(32);
  const credentialId = id.toString("base64url");
  let userHandle: string | undefined;
  let counter = 0;

  function clientData(type: string, challenge: string, deviation: Deviation): Buffer {
    return Buffer.from(
      JSON.stringify({
        type: deviation.type ?? type,
        challenge: deviation.challenge ?? challenge,
        origin: deviation.origin ?? origin,
        crossOrigin: deviation.crossOrigin ?? false,
        ...(deviation.topOrigin && { topOrigin: deviation.topOrigin }),
      }),
    );
  }

  function authenticatorData(rpId: string, deviation: Deviation, attested?: Buffer): Buffer {
    const { userPresent = true, userVerified = true } = deviation;
    const flags =
      (userPresent ? USER_PRESENT : 0) | (userVerified ? USER_VERIFIED : 0) | (attested ? ATTESTED : 0);
    const head = Buffer.alloc(5);
    head[0] = flags;
    head.writeUInt32BE(deviation.counter ?? counter, 1);
    const rpIdHash = sha256(Buffer.from(deviation.rpId ?? rpId));
    return Buffer.concat([rpIdHash, head, attested ?? Buffer.alloc(0)]);
  }

  const credential = {
    id: credentialId,
    rawId: credentialId,
    type: "public-key",
    clientExtensionResults: {},
  };

  return {
    credentialId,
    privateKey,
    create(options, deviation = {}) {
      userHandle = options.user.id;
      const idLength = Buffer.alloc(2);
      idLength.writeUInt16BE(id.length);
      const attested = Buffer.concat([Buffer.alloc(16), idLength, id, coseKey(publicKey, algorithm)]);
      const authData = authenticatorData(options.rp.id, deviation, attested);
      const clientDataJSON = clientData("webauthn.create", options.challenge, deviation);
      const attestationObject =
        deviation.attestation === "certificate"
          ? cbor(
              new Map<string, unknown>([
                ["fmt", "packed"],
                [
                  "attStmt",
                  new Map([
                    ["alg", -7],
                    ["sig", Buffer.alloc(8)],
                    ["x5c", [Buffer.alloc(64)]],
                  ] as [string, unknown][]),
                ],
                ["authData", authData],
              ]),
            )
          : cbor(
              new Map<string, unknown>([
                ["fmt", deviation.attestation ?? "none"],
                ["attStmt", new Map()],
                ["authData", authData],
              ]),
            );
      return {
        ...credential,
        response: {
          clientDataJSON: clientDataJSON.toString("base64url"),
          attestationObject: attestationObject.toString("base64url"),
          transports: ["internal"],
        },
      };
    },
    get(options, deviation = {}) {
      counter += 1;
      const authData = authenticatorData(options.rpId, deviation);
      const clientDataJSON = clientData("webauthn.get", options.challenge, deviation);
      const signed = Buffer.concat([authData, sha256(clientDataJSON)]);
      const handle = "userHandle" in deviation ? deviation.userHandle : userHandle;
      const signature = sign(
        algorithm === "ES256" ? "sha256" : null,
        signed,
        deviation.signWith ?? privateKey,
      );
      return {
        ...credential,
        response: {
          clientDataJSON: clientDataJSON.toString("base64url"),
          authenticatorData: authData.toString("base64url"),
          signature: signature.toString("base64url"),
          ...(handle !== undefined && { userHandle: handle }),
        },
      };
    },
  };
}

function sha256(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}

/** A public key as COSE writes it (RFC 9053 section 7). */
function coseKey(publicKey: KeyObject, algorithm: Algorithm): Buffer {
  const { x, y } = publicKey.export({ format: "jwk" });
  const bytes = (text: string | undefined) => Buffer.from(text!, "base64url");
  return cbor(
    algorithm === "ES256"
      ? new Map<number, unknown>([
          [1, 2],
          [3, -7],
          [-1, 1],
          [-2, bytes(x)],
          [-3, bytes(y)],
        ])
      : new Map<number, unknown>([
          [1, 1],
          [3, -8],
          [-1, 6],
          [-2, bytes(x)],
        ]),
  );
}

/** As much of CBOR (RFC 8949) as credentials are written in. */
function cbor(value: unknown): Buffer {
  if (typeof value === "number") return value >= 0 ? head(0, value) : head(1, -1 - value);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  if (typeof value === "string")
    return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(cbor)]);
  if (value instanceof Map) {
    return Buffer.concat([
      head(5, value.size),
      ...[...value].flatMap(([key, one]) => [cbor(key), cbor(one)]),
    ]);
  }
  throw new TypeError("not a value of a credential");
}

function head(major: number, argument: number): Buffer {
  if (argument < 24) return Buffer.from([(major << 5) | argument]);
  if (argument < 256) return Buffer.from([(major << 5) | 24, argument]);
  return Buffer.from([(major << 5) | 25, argument >> 8, argument & 255]);
}
