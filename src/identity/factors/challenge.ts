import type { Session } from "../sessions/session.ts";

/** Something to be answered once, within minutes: a second step of signing in, or a signature by a passkey. */
export interface Challenge {
  /** SHA-256 of what the caller shows, base64url; the text itself is never stored. */
  readonly hash: string;
  /** An `anchor` is answered by nobody: it is what challenges in another place hang on (`stores/challenge-anchors.ts`). */
  readonly purpose:
    | "second_step"
    | "passkey_enrolment"
    | "passkey_sign_in"
    | "passkey_second_step"
    | "anchor";
  /** Whose it is; `null` where the answer says who signs in. */
  readonly userId: string | null;
  /** The session that an enrolment belongs to, the hash of the second step that a signature belongs to, an anchor's text. */
  readonly boundTo: string | null;
  /** What a second step leads to. */
  readonly sessionKind: Session["kind"] | null;
  /** The changes of the account that were known when its password was proved; 0 where none was. */
  readonly passwordChangedAtMs: number;
  readonly roleChangedAtMs: number;
  /** How often it was tried. */
  readonly tries: number;
  readonly expiresAtMs: number;
}

/** The port of challenges. One that has expired is as one that never was. */
export interface ChallengeStore {
  open(challenge: Challenge, nowMs: number): Promise<void>;
  find(hash: string, nowMs: number): Promise<Challenge | undefined>;
  /** Counts a try and resolves to the challenge; atomic, and `undefined` from the one after `mostTries` on. */
  try(hash: string, nowMs: number, mostTries: number): Promise<Challenge | undefined>;
  /** Takes the challenge: atomic, so that of any number at once one has it. */
  consume(hash: string, nowMs: number): Promise<Challenge | undefined>;
  /** Takes away every challenge of a user. */
  cancelAll(userId: string): Promise<void>;
  /** Removes what expired before the instant; returns how many, but for those that go by themselves. */
  purge(beforeMs: number): Promise<number>;
}
