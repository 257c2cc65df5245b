import { sha256Base64url } from "../../crypto/digest.ts";
import type { SignatureResponse } from "../../crypto/passkey.ts";
import type { Act, EventSink } from "../../kernel/audit-event.ts";
import type { Random } from "../../kernel/random.ts";
import { randomToken } from "../../kernel/random.ts";
import type { Account, AccountStore } from "../accounts/account.ts";
import type { Lockouts } from "../accounts/lockouts.ts";
import { lockEvent } from "../accounts/lockouts.ts";
import type { Session } from "../sessions/session.ts";
import type { Challenge, ChallengeStore } from "./challenge.ts";
import type { FactorStore } from "./factor.ts";
import type { PasskeyProofs } from "./passkey-proofs.ts";
import { hashRecoveryCode } from "./recovery-code.ts";
import type { TotpSecrets } from "./totp-secrets.ts";

/** What is shown as a second factor. */
export type FactorProof =
  | { readonly method: "totp" | "recovery_code"; readonly code: string }
  | { readonly method: "passkey"; readonly response: SignatureResponse };

/** A second step that somebody may still take, and who that is. */
export interface PendingStep {
  readonly challenge: Challenge;
  readonly account: Account;
}

export interface SecondStep {
  /** Begins a second step for whoever has proved the password; resolves to the token to go on with, once. */
  begin(account: Account, sessionKind: Session["kind"], act: Act): Promise<string>;
  /**
   * The step that a token stands for; `undefined` where it is unknown, over or spent, and where the account is not what
   * it was when its password was proved: disabled, or with another password or role.
   */
  find(mfaToken: string, act: Act): Promise<PendingStep | undefined>;
  /** Judges what is shown; each failure is counted by the token and by the account's lock, and told. */
  prove(
    pending: PendingStep | undefined,
    proof: FactorProof,
    act: Act,
  ): Promise<{ readonly account: Account; readonly sessionKind: Session["kind"] } | undefined>;
}

export interface SecondStepOptions {
  readonly accounts: AccountStore;
  readonly factors: FactorStore;
  readonly challenges: ChallengeStore;
  readonly lockouts: Lockouts;
  readonly totpSecrets: TotpSecrets;
  /** Absent where passkeys are off. */
  readonly passkeys: PasskeyProofs | undefined;
  readonly random: Random;
  readonly events: EventSink;
}

export const SECOND_STEP_TTL_MS = 300_000;
/** As often as one token may be tried; over all tokens of an account, its lock counts. */
export const MOST_TRIES = 5;

export function createSecondStep(options: SecondStepOptions): SecondStep {
  const { accounts, factors, challenges, lockouts, totpSecrets, passkeys, random, events } = options;

  async function useTotp(userId: string, code: string, atMs: number): Promise<boolean> {
    const factor = await factors.findTotp(userId);
    if (factor === undefined || factor.confirmedAtMs === null) return false;
    const step = totpSecrets.match(factor, code, atMs);
    return step !== undefined && (await factors.useTotpStep(factor.id, step));
  }

  async function useRecoveryCode(userId: string, code: string): Promise<boolean> {
    const hash = hashRecoveryCode(userId, code);
    return hash !== undefined && (await factors.useRecoveryCode(userId, hash));
  }

  /** Why a proof is none, or `undefined` where it is one; it is spent with that. */
  async function faultOf(step: PendingStep, proof: FactorProof, atMs: number): Promise<string | undefined> {
    const userId = step.account.id;
    if (proof.method !== "passkey" && typeof proof.code !== "string") return "no code";
    switch (proof.method) {
      case "totp":
        return (await useTotp(userId, proof.code, atMs)) ? undefined : "code not valid, or used before";
      case "recovery_code":
        return (await useRecoveryCode(userId, proof.code)) ? undefined : "code not valid, or used before";
      case "passkey": {
        if (passkeys === undefined) return "passkeys are off";
        const purpose = "passkey_second_step";
        const bound = { purpose, userId, boundTo: step.challenge.hash } as const;
        const verdict = await passkeys.prove(proof.response, bound, atMs);
        return verdict.kind === "refused" ? verdict.cause : undefined;
      }
      // A host may hand on what a client sent, and no compiler has looked at that.
      default:
        return "no such method";
    }
  }

  /** Whether the account is locked is asked first, so that a lock spends no code; and again by what counts the proof. */
  async function judge(step: PendingStep, proof: FactorProof, act: Act): Promise<string | undefined> {
    const { account, challenge } = step;
    if ((await challenges.try(challenge.hash, act.atMs, MOST_TRIES)) === undefined) return "too many tries";
    if ((await lockouts.settle(account.usernameKey, "partly", act)) !== "granted") return "locked";
    let fault = await faultOf(step, proof, act.atMs);
    if (fault === undefined && (await challenges.consume(challenge.hash, act.atMs)) === undefined) {
      fault = "sign-in was finished by another request";
    }
    const outcome = await lockouts.settle(account.usernameKey, fault === undefined, act);
    if (outcome === "locked_now") await events.record(lockEvent(act, account.id));
    return fault ?? (outcome === "granted" ? undefined : "locked");
  }

  return {
    async begin(account, sessionKind, act) {
      const token = randomToken(random);
      const challenge: Challenge = {
        hash: sha256Base64url(token),
        purpose: "second_step",
        userId: account.id,
        boundTo: null,
        sessionKind,
        passwordChangedAtMs: account.passwordChangedAtMs,
        roleChangedAtMs: account.roleChangedAtMs,
        tries: 0,
        expiresAtMs: act.atMs + SECOND_STEP_TTL_MS,
      };
      await challenges.open(challenge, act.atMs);
      await events.record({ ...act, name: "auth.mfa.challenged", outcome: "success", subject: account.id });
      return token;
    },

    async find(mfaToken, act) {
      const challenge = await challenges.find(sha256Base64url(mfaToken), act.atMs);
      if (challenge?.purpose !== "second_step" || challenge.userId === null) return undefined;
      const account = await accounts.findById(challenge.userId);
      if (account === undefined || account.disabled) return undefined;
      return challenge.passwordChangedAtMs === account.passwordChangedAtMs &&
        challenge.roleChangedAtMs === account.roleChangedAtMs
        ? { challenge, account }
        : undefined;
    },

    async prove(pending, proof, act) {
      const { method } = proof;
      const fault = pending === undefined ? "no such sign-in" : await judge(pending, proof, act);
      if (pending === undefined || fault !== undefined) {
        await events.record({
          ...act,
          name: "auth.mfa.failed",
          outcome: "failure",
          ...(pending && { subject: pending.account.id }),
          ...(fault !== undefined && { reason: fault }),
          details: { method },
        });
        return undefined;
      }
      const { account, challenge } = pending;
      await events.record({
        ...act,
        name: "auth.mfa.succeeded",
        outcome: "success",
        actor: { kind: "user", id: account.id, name: account.username },
        subject: account.id,
        details: { method },
      });
      return { account, sessionKind: challenge.sessionKind ?? "token" };
    },
  };
}
