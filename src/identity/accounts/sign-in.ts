import type { SignatureResponse } from "../../crypto/passkey.ts";
import type { Act, EventSink } from "../../kernel/audit-event.ts";
import type { Allowance } from "../../kernel/exchange.ts";
import type { FactorMethod } from "../factors/factor.ts";
import type { PasskeyProofs } from "../factors/passkey-proofs.ts";
import { SIGN_IN } from "../factors/passkey-proofs.ts";
import type { FactorProof, SecondStep } from "../factors/second-step.ts";
import type { Session } from "../sessions/session.ts";
import type { Account, AccountStore } from "./account.ts";
import type { Accounts, ProvedAccount } from "./accounts.ts";
import type { LoginLimit } from "./login-limit.ts";
import { subjectOf } from "./login-limit.ts";

export interface SignInOptions {
  readonly accounts: Accounts;
  readonly store: AccountStore;
  readonly limit: LoginLimit;
  readonly secondStep: SecondStep;
  /** Absent where passkeys are off. */
  readonly passkeys: PasskeyProofs | undefined;
  readonly events: EventSink;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface SignedIn {
  readonly kind: "signed_in";
  readonly account: Account;
  /** Whether a second factor was proved too. */
  readonly mfa: boolean;
  readonly sessionKind: Session["kind"];
  readonly allowance?: Allowance;
}

export type NotSignedIn =
  | { readonly kind: "refused"; readonly allowance?: Allowance }
  | { readonly kind: "limited"; readonly allowance: Allowance };

/** The password was right; the sign-in goes on with this token and one of these methods. */
export interface FactorRequired {
  readonly kind: "factor_required";
  readonly mfaToken: string;
  readonly methods: readonly FactorMethod[];
  readonly allowance?: Allowance;
}

export type SignInOutcome = SignedIn | FactorRequired | NotSignedIn;

export interface SignIn {
  /** Signs a person in by name and password, for a session of this kind, `token` unless told; every try is counted and told. */
  byPassword(credentials: Credentials, act: Act, sessionKind?: Session["kind"]): Promise<SignInOutcome>;
  /** Goes on where a password was right and a second factor was asked for; counted and told like a password. */
  bySecondFactor(mfaToken: string, proof: FactorProof, act: Act): Promise<SignedIn | NotSignedIn>;
  /** Asks a signed-in person for the password again: counted like any other try, but no sign-in where it is right. */
  confirmPassword(
    credentials: Credentials,
    act: Act,
  ): Promise<{ readonly kind: "confirmed"; readonly account: Account } | NotSignedIn>;
  /** Signs in whoever's passkey has verified them, for a session of this kind; `undefined` where passkeys are off. */
  byPasskey(
    response: SignatureResponse,
    act: Act,
    sessionKind: Session["kind"],
  ): Promise<SignedIn | NotSignedIn | undefined>;
}

export function createSignIn(options: SignInOptions): SignIn {
  const { accounts, store, limit, secondStep, passkeys, events } = options;

  async function prove(
    { username, password }: Credentials,
    act: Act,
  ): Promise<({ kind: "proved"; allowance?: Allowance } & ProvedAccount) | NotSignedIn> {
    events.assertWritable?.();
    const allowance = await limit.charge(username, act);
    if (allowance?.allowed === false) return { kind: "limited", allowance };
    const shown = allowance && { allowance };
    const proved = await accounts.authenticate(username, password, act);
    if (proved !== undefined) return { kind: "proved", ...proved, ...shown };
    await events.record({
      ...act,
      name: "auth.login.failed",
      outcome: "failure",
      subject: subjectOf(username),
    });
    return { kind: "refused", ...shown };
  }

  async function complete(account: Account, act: Act, { mfa }: { readonly mfa: boolean }): Promise<void> {
    await store.update(account.id, { lastLoginAtMs: act.atMs });
    await events.record({
      ...act,
      name: "auth.login.succeeded",
      outcome: "success",
      actor: { kind: "user", id: account.id, name: account.username },
      subject: account.id,
      ...(mfa && { details: { mfa } }),
    });
  }

  return {
    async byPassword(credentials, act, sessionKind = "token") {
      const outcome = await prove(credentials, act);
      if (outcome.kind !== "proved") return outcome;
      const { account, needsFactor, methods, allowance } = outcome;
      const shown = allowance && { allowance };
      if (needsFactor) {
        const mfaToken = await secondStep.begin(account, sessionKind, act);
        return { kind: "factor_required", mfaToken, methods, ...shown };
      }
      await complete(account, act, { mfa: false });
      return { kind: "signed_in", account, mfa: false, sessionKind, ...shown };
    },

    async bySecondFactor(mfaToken, proof, act) {
      events.assertWritable?.();
      const pending = await secondStep.find(mfaToken, act);
      const allowance = await limit.charge(pending?.account.usernameKey, act);
      if (allowance?.allowed === false) return { kind: "limited", allowance };
      const shown = allowance && { allowance };
      const proved = await secondStep.prove(pending, proof, act);
      if (proved === undefined) return { kind: "refused", ...shown };
      await complete(proved.account, act, { mfa: true });
      return { kind: "signed_in", mfa: true, ...proved, ...shown };
    },

    async byPasskey(response, act, sessionKind) {
      if (passkeys === undefined) return undefined;
      events.assertWritable?.();
      const allowance = await limit.charge(undefined, act);
      if (allowance?.allowed === false) return { kind: "limited", allowance };
      const shown = allowance && { allowance };
      const verdict = await passkeys.prove(response, SIGN_IN, act.atMs);
      const userId = verdict.kind === "proved" ? verdict.passkey.userId : verdict.userId;
      const account = userId === undefined ? undefined : await store.findById(userId);
      if (verdict.kind === "refused" || account === undefined || account.disabled) {
        await events.record({
          ...act,
          name: "auth.login.failed",
          outcome: "failure",
          ...(account && { subject: account.usernameKey }),
          reason: verdict.kind === "refused" ? verdict.cause : "account is disabled or gone",
          details: { method: "passkey" },
        });
        return { kind: "refused", ...shown };
      }
      await complete(account, act, { mfa: true });
      return { kind: "signed_in", account, mfa: true, sessionKind, ...shown };
    },

    async confirmPassword(credentials, act) {
      const outcome = await prove(credentials, act);
      if (outcome.kind !== "proved") return outcome;
      const { account, allowance } = outcome;
      return { kind: "confirmed", account, ...(allowance && { allowance }) };
    },
  };
}
