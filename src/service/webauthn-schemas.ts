import type { Static } from "typebox";
import { Type } from "typebox";

/** What browsers make of a credential with `toJSON()`: members that are not declared are the browser's to add. */
const asSent = { additionalProperties: true };
const Base64url = (maxLength: number) =>
  Type.String({ minLength: 1, maxLength, pattern: "^[A-Za-z0-9_-]+$" });
const CredentialId = Base64url(1366);
const ClientData = Base64url(8192);

const credential = {
  id: CredentialId,
  rawId: CredentialId,
  type: Type.Literal("public-key"),
  authenticatorAttachment: Type.Optional(Type.Union([Type.String({ maxLength: 64 }), Type.Null()])),
  clientExtensionResults: Type.Optional(Type.Object({}, asSent)),
};

/** A new credential (WebAuthn section 5.1, RegistrationResponseJSON). */
export const EnrolmentShape = Type.Object(
  {
    ...credential,
    response: Type.Object(
      {
        clientDataJSON: ClientData,
        attestationObject: Base64url(32_768),
        transports: Type.Optional(Type.Array(Type.String({ maxLength: 32 }), { maxItems: 16 })),
      },
      asSent,
    ),
  },
  asSent,
);

/** A signature by a credential (WebAuthn section 5.1, AuthenticationResponseJSON). */
export const SignatureShape = Type.Object(
  {
    ...credential,
    response: Type.Object(
      {
        clientDataJSON: ClientData,
        authenticatorData: Base64url(8192),
        signature: Base64url(2048),
        userHandle: Type.Optional(Type.Union([Base64url(128), Type.Null()])),
      },
      asSent,
    ),
  },
  asSent,
);

/** The members that are judged; whatever else came along goes no further. */
export function enrolmentOf({ id, rawId, response }: Static<typeof EnrolmentShape>) {
  const { clientDataJSON, attestationObject, transports } = response;
  return {
    id,
    rawId,
    type: "public-key" as const,
    clientExtensionResults: {},
    response: { clientDataJSON, attestationObject, ...(transports && { transports }) },
  };
}

export function signatureOf({ id, rawId, response }: Static<typeof SignatureShape>) {
  const { clientDataJSON, authenticatorData, signature, userHandle } = response;
  return {
    id,
    rawId,
    type: "public-key" as const,
    clientExtensionResults: {},
    response: { clientDataJSON, authenticatorData, signature, ...(userHandle && { userHandle }) },
  };
}
