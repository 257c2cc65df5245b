import { sha256Base64url } from "../../crypto/digest.ts";
import type {
  EnrolmentResponse,
  NewCredential,
  PasskeyCeremonies,
  PasskeyRefusal,
  SignatureResponse,
} from "../../crypto/passkey.ts";
import { challengeOf } from "../../crypto/passkey.ts";
import type { User } from "../../kernel/principal.ts";
import type { Random } from "../../kernel/random.ts";
import type { Challenge, ChallengeStore } from "./challenge.ts";
import type { FactorStore, Passkey } from "./factor.ts";

/** What an answer has to be for: another ceremony's challenge, another user's or session's is none. */
export type Bound = Pick<Challenge, "purpose" | "userId" | "boundTo">;

/** Challenges for passkeys, and whether what comes back answers one: each is random, kept here, and good once. */
export interface PasskeyProofs {
  /** For a new passkey of a signed-in user, in this session. */
  enrolmentOptions(user: User, sessionId: string, nowMs: number): Promise<object>;
  verifyEnrolment(
    response: EnrolmentResponse,
    userId: string,
    sessionId: string,
    nowMs: number,
  ): Promise<{ readonly kind: "verified"; readonly credential: NewCredential } | PasskeyRefusal>;
  /** For whoever signs in with any passkey that verifies its user. */
  signInOptions(nowMs: number): Promise<object>;
  /** For a user's own passkeys, in one second step. */
  secondStepOptions(userId: string, stepHash: string, nowMs: number): Promise<object>;
  /** Whose passkey has signed; the challenge is spent either way. */
  prove(
    response: SignatureResponse,
    bound: Bound,
    nowMs: number,
  ): Promise<{ readonly kind: "proved"; readonly passkey: Passkey } | RefusedProof>;
}

/** Names whose passkey it is, where it was a right signature that the counter gives away. */
export type RefusedProof = PasskeyRefusal & { readonly userId?: string };

const CHALLENGE_BYTES = 32;
const CHALLENGE_TTL_MS = 300_000;

export function createPasskeyProofs(
  ceremonies: PasskeyCeremonies,
  store: FactorStore,
  challenges: ChallengeStore,
  random: Random,
): PasskeyProofs {
  async function open(bound: Bound, nowMs: number): Promise<Uint8Array> {
    const bytes = random.bytes(CHALLENGE_BYTES);
    await challenges.open(
      {
        ...bound,
        hash: sha256Base64url(Buffer.from(bytes).toString("base64url")),
        sessionKind: null,
        passwordChangedAtMs: 0,
        roleChangedAtMs: 0,
        tries: 0,
        expiresAtMs: nowMs + CHALLENGE_TTL_MS,
      },
      nowMs,
    );
    return bytes;
  }

  /** Spends the challenge that an answer is for; `undefined` where it is for none of that kind. */
  async function spend(
    response: EnrolmentResponse | SignatureResponse,
    bound: Bound,
    nowMs: number,
  ): Promise<string | undefined> {
    const text = challengeOf(response);
    const challenge = text && (await challenges.consume(sha256Base64url(text), nowMs));
    if (!challenge) return undefined;
    const fits =
      challenge.purpose === bound.purpose &&
      challenge.userId === bound.userId &&
      challenge.boundTo === bound.boundTo;
    return fits ? text : undefined;
  }

  return {
    async enrolmentOptions(user, sessionId, nowMs) {
      const challenge = await open(enrolment(user.id, sessionId), nowMs);
      const known = await store.listPasskeys(user.id);
      return ceremonies.enrolmentOptions({ challenge, userId: user.id, username: user.username, known });
    },

    async verifyEnrolment(response, userId, sessionId, nowMs) {
      const challenge = await spend(response, enrolment(userId, sessionId), nowMs);
      return challenge === undefined ? NO_CHALLENGE : ceremonies.verifyEnrolment(response, challenge);
    },

    async signInOptions(nowMs) {
      const challenge = await open(SIGN_IN, nowMs);
      return ceremonies.signatureOptions({ challenge, userVerification: "required" });
    },

    async secondStepOptions(userId, stepHash, nowMs) {
      const bound = { purpose: "passkey_second_step", userId, boundTo: stepHash } as const;
      const challenge = await open(bound, nowMs);
      const allowed = await store.listPasskeys(userId);
      return ceremonies.signatureOptions({ challenge, userVerification: "preferred", allowed });
    },

    async prove(response, bound, nowMs) {
      const challenge = await spend(response, bound, nowMs);
      if (challenge === undefined) return NO_CHALLENGE;
      const passkey = await store.findPasskey(response.id);
      if (passkey === undefined) return refused("unknown passkey");
      if (bound.userId !== null && passkey.userId !== bound.userId) return refused("another user's passkey");
      const { userHandle } = response.response;
      const claimed = userHandle && Buffer.from(userHandle, "base64url").toString();
      // Nobody was named before: the authenticator has to say whom it signs for (WebAuthn section 7.2, step 6).
      if (claimed ? claimed !== passkey.userId : bound.userId === null) return refused("wrong user handle");
      const isAlone = bound.purpose === "passkey_sign_in";
      const verdict = await ceremonies.verifySignature(response, challenge, passkey, {
        userVerification: isAlone,
      });
      if (verdict.kind === "refused") return verdict;
      return (await store.usePasskey(passkey.id, verdict.counter, nowMs))
        ? { kind: "proved", passkey }
        : {
            ...refused("signature counter went back: the passkey may have been copied"),
            userId: passkey.userId,
          };
    },
  };
}

/** What a sign-in with a passkey alone is bound to. */
export const SIGN_IN: Bound = Object.freeze({ purpose: "passkey_sign_in", userId: null, boundTo: null });

const NO_CHALLENGE: PasskeyRefusal = Object.freeze({ kind: "refused", cause: "no such challenge" });

function enrolment(userId: string, sessionId: string): Bound {
  return { purpose: "passkey_enrolment", userId, boundTo: sessionId };
}

function refused(cause: string): PasskeyRefusal {
  return { kind: "refused", cause };
}
