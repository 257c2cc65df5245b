import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server";
import { decodeBase64url } from "./base64url.ts";

/** Who asks for passkeys: the relying party (WebAuthn section 4). */
export interface PasskeyParty {
  /** The domain that passkeys belong to (RP ID). */
  readonly id: string;
  readonly name: string;
  /** Pages that may use them. */
  readonly origins: readonly string[];
}

export type EnrolmentResponse = RegistrationResponseJSON;
export type SignatureResponse = AuthenticationResponseJSON;

export interface NewCredential {
  readonly credentialId: string;
  /** COSE key, base64url. */
  readonly publicKey: string;
  readonly counter: number;
  readonly transports: readonly string[];
}

export interface KnownCredential {
  readonly credentialId: string;
  readonly publicKey: string;
  readonly counter: number;
}

/** Why an authenticator's answer does not count, for the audit trail alone. */
export interface PasskeyRefusal {
  readonly kind: "refused";
  readonly cause: string;
}

/** The ceremonies of WebAuthn Level 3, each step by the library. Nobody else speaks to it. */
export interface PasskeyCeremonies {
  /** What a page hands to `navigator.credentials.create`. */
  enrolmentOptions(wanted: {
    readonly challenge: Uint8Array;
    readonly userId: string;
    readonly username: string;
    readonly known: readonly { readonly credentialId: string; readonly transports: readonly string[] }[];
  }): Promise<object>;
  /** What a page hands to `navigator.credentials.get`; `allowed` absent: whatever passkey the user picks. */
  signatureOptions(wanted: {
    readonly challenge: Uint8Array;
    readonly userVerification: "required" | "preferred";
    readonly allowed?: readonly { readonly credentialId: string; readonly transports: readonly string[] }[];
  }): Promise<object>;
  /** Judges a new passkey against the challenge it was made for (WebAuthn section 7.1). */
  verifyEnrolment(
    response: EnrolmentResponse,
    challenge: string,
  ): Promise<{ readonly kind: "verified"; readonly credential: NewCredential } | PasskeyRefusal>;
  /** Judges a signature by a known passkey (WebAuthn section 7.2). Its counter is the caller's to judge and keep. */
  verifySignature(
    response: SignatureResponse,
    challenge: string,
    credential: KnownCredential,
    needs: { readonly userVerification: boolean },
  ): Promise<{ readonly kind: "verified"; readonly counter: number } | PasskeyRefusal>;
}

/** EdDSA, ES256, RS256 (RFC 9053, RFC 8812). */
const ALGORITHMS = [-8, -7, -257];
/** Without attestation, browsers send `none`, and `packed` where the new key itself has signed (WebAuthn section 6.5.4). */
const FORMATS: readonly string[] = ["none", "packed"];
const TIMEOUT_MS = 300_000;

/** Ceremonies for a relying party. The library is loaded at the first of them: a start does not wait for it. */
export function createPasskeyCeremonies(party: PasskeyParty): PasskeyCeremonies {
  const expected = { expectedOrigin: [...party.origins], expectedRPID: party.id };

  return {
    async enrolmentOptions({ challenge, userId, username, known }) {
      const { generateRegistrationOptions } = await import("@simplewebauthn/server");
      return generateRegistrationOptions({
        rpName: party.name,
        rpID: party.id,
        // What an authenticator keeps to name the account: nothing of a person (WebAuthn section 14.6.1).
        userID: new Uint8Array(Buffer.from(userId)),
        userName: username,
        userDisplayName: username,
        challenge: new Uint8Array(challenge),
        timeout: TIMEOUT_MS,
        attestationType: "none",
        supportedAlgorithmIDs: ALGORITHMS,
        excludeCredentials: known.map(toDescriptor),
        authenticatorSelection: { residentKey: "preferred", userVerification: "preferred" },
      });
    },

    async signatureOptions({ challenge, userVerification, allowed }) {
      const { generateAuthenticationOptions } = await import("@simplewebauthn/server");
      return generateAuthenticationOptions({
        rpID: party.id,
        challenge: new Uint8Array(challenge),
        timeout: TIMEOUT_MS,
        userVerification,
        ...(allowed && { allowCredentials: allowed.map(toDescriptor) }),
      });
    },

    async verifyEnrolment(response, challenge) {
      const { verifyRegistrationResponse } = await import("@simplewebauthn/server");
      const { decodeAttestationObject } = await import("@simplewebauthn/server/helpers");
      if (isEmbedded(response)) return refused("from a page within another site's");
      return judge(async () => {
        const attestation = decodeAttestationObject(
          new Uint8Array(Buffer.from(response.response.attestationObject, "base64url")),
        );
        // A certificate nobody asked for would be followed to wherever it names its list of revocations.
        if (!FORMATS.includes(attestation.get("fmt"))) return refused("attestation format");
        if (attestation.get("attStmt").get("x5c") !== undefined) return refused("attestation by certificate");
        const { verified, registrationInfo } = await verifyRegistrationResponse({
          response,
          expectedChallenge: challenge,
          ...expected,
          requireUserVerification: false,
          supportedAlgorithmIDs: ALGORITHMS,
        });
        if (!verified) return refused("attestation");
        const { id, publicKey, counter, transports } = registrationInfo.credential;
        return {
          kind: "verified",
          credential: {
            credentialId: id,
            publicKey: Buffer.from(publicKey).toString("base64url"),
            counter,
            transports: transports ?? [],
          },
        };
      });
    },

    async verifySignature(response, challenge, credential, { userVerification }) {
      const { verifyAuthenticationResponse } = await import("@simplewebauthn/server");
      if (isEmbedded(response)) return refused("from a page within another site's");
      return judge(async () => {
        const { verified, authenticationInfo } = await verifyAuthenticationResponse({
          response,
          expectedChallenge: challenge,
          ...expected,
          requireUserVerification: userVerification,
          credential: {
            id: credential.credentialId,
            publicKey: new Uint8Array(Buffer.from(credential.publicKey, "base64url")),
            // The signature first: whether the counter went back is only worth telling of the right authenticator.
            counter: 0,
          },
        });
        return verified ? { kind: "verified", counter: authenticationInfo.newCounter } : refused("signature");
      });
    },
  };
}

/** The challenge that an answer claims to be for; `undefined` where it has not the form of an answer. */
export function challengeOf(response: EnrolmentResponse | SignatureResponse): string | undefined {
  const challenge = clientDataOf(response)?.["challenge"];
  return typeof challenge === "string" && decodeBase64url(challenge) !== undefined ? challenge : undefined;
}

/** No page of ours is framed by another site's. */
function isEmbedded(response: EnrolmentResponse | SignatureResponse): boolean {
  const { crossOrigin, topOrigin } = clientDataOf(response) ?? {};
  return crossOrigin === true || topOrigin !== undefined;
}

function clientDataOf(
  response: EnrolmentResponse | SignatureResponse,
): Readonly<Record<string, unknown>> | undefined {
  const bytes = decodeBase64url(response.response.clientDataJSON);
  if (bytes === undefined) return undefined;
  try {
    const data: unknown = JSON.parse(bytes.toString());
    return typeof data === "object" && data !== null ? (data as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** The library throws where a step of the ceremony fails, whichever: each is a refusal. */
async function judge<T>(verify: () => Promise<T | PasskeyRefusal>): Promise<T | PasskeyRefusal> {
  try {
    return await verify();
  } catch (error) {
    return refused(error instanceof Error ? error.message : "malformed");
  }
}

function refused(cause: string): PasskeyRefusal {
  return { kind: "refused", cause };
}

function toDescriptor({
  credentialId,
  transports,
}: {
  readonly credentialId: string;
  readonly transports: readonly string[];
}) {
  return { id: credentialId, transports: [...transports] };
}
